# Run inside the template database by odoo19.sh: a company in the United States
# with US dollars and the generic chart of accounts, and nothing else set, so
# that the rounding settings are those a new Odoo has.
company = env.ref("base.main_company")  # noqa: F821 (env is given by the shell)
country = env.ref("base.us")  # noqa: F821
dollar = env.ref("base.USD")  # noqa: F821

company.country_id = country
company.currency_id = dollar
if company.chart_template != "generic_coa":
    env["account.chart.template"].try_loading("generic_coa", company, install_demo=False)  # noqa: F821
assert company.chart_template == "generic_coa", company.chart_template
assert company.currency_id == dollar, company.currency_id.name
env.cr.commit()  # noqa: F821
print("=done")
