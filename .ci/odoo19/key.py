# Run inside a run's database by odoo19.sh: makes an API key for the
# administrator and prints it.
from datetime import datetime, timedelta

user = env.ref("base.user_admin")  # noqa: F821 (env is given by the shell)
keys = env["res.users.apikeys"].with_user(user)  # noqa: F821
key = keys._generate("rpc", "flowctl e2e", datetime.now() + timedelta(days=7))
env.cr.commit()  # noqa: F821
print("=login", user.login)
print("=key", key)
print("=done")
