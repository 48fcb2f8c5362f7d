# PostgreSQL for Odoo 19: a private cluster in a run folder, reachable through a
# Unix socket only, copied from a template made once per package version.
# Sourced by odoo19.sh.

# The role that Odoo logs in as is no superuser: Odoo refuses one, and hosted
# databases give none.
role=odoo
database=flowctl
template_database=odoo19_template

# The modules that the app needs in Odoo.
modules=sale_management,stock,sale_stock,account,delivery,stock_delivery,contacts,base_automation

# find_postgres sets $pg_bin to the newest installed PostgreSQL.
find_postgres() {
    pg_bin=$(compgen -G "/usr/lib/postgresql/*/bin" | sort -V | tail -n 1)
    [ -x "$pg_bin/initdb" ] || cannot "PostgreSQL is not installed"
}

# start_cluster starts the cluster in $1/pg. The socket lies in a short folder
# of its own, because its path may have 107 characters at most.
start_cluster() {
    local socket
    socket=$(mktemp -d "${TMPDIR:-/tmp}/flowctl-pg.XXXXXX")
    give "$socket"
    echo "$socket" >"$1/socket"
    "${as_service[@]}" "$pg_bin/pg_ctl" -D "$1/pg" -w -t 60 -l "$1/log/postgres.log" \
        -o "-c unix_socket_directories=$socket -c listen_addresses=''" start >/dev/null ||
        fail "PostgreSQL did not start: $(tail -n 5 "$1/log/postgres.log")"
}

# stop_cluster stops the cluster in $1/pg, if it runs, and removes its socket.
stop_cluster() {
    if [ -e "$1/pg/postmaster.pid" ]; then
        "${as_service[@]}" "$pg_bin/pg_ctl" -D "$1/pg" -w -m fast stop >/dev/null || say "PostgreSQL in $1 did not stop"
    fi
    if [ -e "$1/socket" ]; then
        rm -rf "$(cat "$1/socket")"
        rm -f "$1/socket"
    fi
}

# sql runs a statement as the cluster's superuser.
sql() {
    "${as_service[@]}" "$pg_bin/psql" -X -q -h "$(cat "$1/socket")" -U admin -d postgres -v ON_ERROR_STOP=1 -c "$2" >/dev/null
}

# init_cluster makes an empty cluster in $1/pg. It is thrown away after the run,
# so it need not survive a power cut.
init_cluster() {
    "${as_service[@]}" "$pg_bin/initdb" -D "$1/pg" -U admin -A trust -E UTF8 --locale=C.UTF-8 >"$1/log/initdb.log" ||
        fail "initdb failed: $(tail -n 5 "$1/log/initdb.log")"
    "${as_service[@]}" tee -a "$1/pg/postgresql.conf" >/dev/null <<-SETTINGS
		fsync = off
		synchronous_commit = off
		full_page_writes = off
		shared_buffers = 256MB
	SETTINGS
}

# make_template makes the template cluster for the package and sets $template to
# its folder. It takes about a minute, once per version of package, PostgreSQL
# and of this recipe.
make_template() {
    local recipe
    recipe=$(cat "$here/odoo19/database.sh" "$here/odoo19/template.py" | sha256sum | cut -c1-12)
    template=$cache/template-$version-pg$(basename "$(dirname "$pg_bin")")-$recipe
    exec 9>"$cache/lock"
    flock 9 # two runs side by side make one template
    if [ ! -d "$template" ]; then
        build_template "$template.part" 9>&-
        mv "$template.part" "$template"
    fi
    exec 9>&-
}

build_template() {
    local part=$1
    say "making the template database (about a minute)"
    if [ -d "$part" ]; then stop_cluster "$part"; fi
    rm -rf "$part"
    make_run_folders "$part"
    trap 'stop_cluster "$template.part"' EXIT
    init_cluster "$part"
    start_cluster "$part"
    sql "$part" "CREATE ROLE $role LOGIN CREATEDB NOSUPERUSER"
    sql "$part" "CREATE DATABASE $template_database OWNER $role"
    write_configuration "$part" 0
    local command
    odoo_command "$part" -d "$template_database" -i "$modules" --no-http --stop-after-init
    "${command[@]}" >>"$part/log/odoo.log" 2>&1 ||
        fail "Odoo could not initialise its modules: $(tail -n 15 "$part/log/odoo.log")"
    odoo_script "$part" "$template_database" "$here/odoo19/template.py" >/dev/null
    stop_cluster "$part"
    trap - EXIT
}

# copy_template gives the run in $1 a cluster of its own with a fresh database
# and that database's files.
copy_template() {
    "${as_service[@]}" cp -a --reflink=auto "$template/pg/." "$1/pg"
    start_cluster "$1"
    "${as_service[@]}" "$pg_bin/createdb" -h "$(cat "$1/socket")" -U "$role" -T "$template_database" "$database"
    "${as_service[@]}" mkdir -p "$1/data/filestore"
    if [ -d "$template/data/filestore/$template_database" ]; then
        "${as_service[@]}" cp -a --reflink=auto "$template/data/filestore/$template_database" "$1/data/filestore/$database"
    fi
}
