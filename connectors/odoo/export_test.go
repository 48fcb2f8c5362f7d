package odoo

// SetFeedPage makes pages of the change feed small for a test.
func SetFeedPage(connection *Connection, size int) { connection.feedPage = size }
