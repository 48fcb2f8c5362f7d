// What an integrator does with WooCommerce's own client: list, create, change,
// batch, delete, and be refused. It prints what it saw as one JSON object.
// Called with the shop's URL; the keys come by the environment.
const WooCommerceRestApi = require("@woocommerce/woocommerce-rest-api").default;

async function main() {
  const api = new WooCommerceRestApi({
    url: process.argv[2],
    consumerKey: process.env.CONSUMER_KEY,
    consumerSecret: process.env.CONSUMER_SECRET,
    version: "wc/v3",
  });
  const seen = {};

  const listed = await api.get("products", { per_page: 1, page: 2, orderby: "id", order: "asc" });
  seen.listed = { total: listed.headers["x-wp-total"], pages: listed.headers["x-wp-totalpages"], names: listed.data.map((p) => p.name) };

  const included = await api.get("products", { include: [1, 2], orderby: "id", order: "asc" });
  seen.included = included.data.map((p) => p.id);

  const made = await api.post("products", { name: "Tasse à café & lait", regular_price: "7.50", sku: "CAFE" });
  seen.made = { status: made.status, sku: made.data.sku, price: made.data.regular_price };

  const changed = await api.put(`products/${made.data.id}`, { regular_price: "8.00", manage_stock: true, stock_quantity: 4 });
  seen.changed = { price: changed.data.regular_price, stock: changed.data.stock_quantity };

  const batch = await api.post("products/batch", { update: [{ id: made.data.id, stock_quantity: 3 }, { id: 424242, name: "x" }] });
  seen.batch = { stock: batch.data.update[0].stock_quantity, error: batch.data.update[1].error.code };

  const order = await api.post("orders", { set_paid: true, line_items: [{ product_id: made.data.id, quantity: 2 }] });
  seen.order = { status: order.data.status, total: order.data.total };

  const refund = await api.post(`orders/${order.data.id}/refunds`, { amount: "1.00", api_refund: false });
  seen.refund = { amount: refund.data.amount };

  try {
    await api.post("products", { name: "Again", sku: "cafe" });
  } catch (error) {
    seen.refused = { status: error.response.status, code: error.response.data.code, holder: error.response.data.data.resource_id === made.data.id };
  }
  try {
    await api.get("orders/424242");
  } catch (error) {
    seen.unknown = { status: error.response.status, code: error.response.data.code };
  }

  const gone = await api.delete(`products/${made.data.id}`, { force: true });
  seen.gone = { status: gone.status, same: gone.data.id === made.data.id };
  console.log(JSON.stringify(seen));
}

main().catch((error) => {
  console.error(error.response ? JSON.stringify(error.response.data) : error);
  process.exit(1);
});
