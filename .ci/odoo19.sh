#!/usr/bin/env bash
# Brings up a real Odoo 19 from Debian's package, for tests.
#
#   odoo19.sh install        download the package and what it needs
#   odoo19.sh start [RUN]    start one in the folder RUN, print its environment
#   odoo19.sh env   [RUN]    print the environment of the one that runs there
#   odoo19.sh stop  [RUN]    stop it and remove what it made
#
# The environment is FLOWCTL_ODOO_URL, _DB, _LOGIN and _API_KEY as export lines;
# it is also kept in RUN/env. The web page's login is admin, admin. Several may
# run side by side in different folders. What is downloaded and made once lies
# in $FLOWCTL_E2E_CACHE (see below). Exit codes: 0 done, 1 failed, 2 usage, 77
# this machine cannot have Odoo 19 (no Debian, no network, no rights).
set -euo pipefail

say() { echo "odoo19: $*" >&2; }
fail() {
    say "FAILED: $*"
    exit 1
}
cannot() {
    say "**** NO ODOO 19 HERE: $*"
    exit 77
}
usage() {
    sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# PostgreSQL refuses to run as root, and Odoo should not: there they run as the
# user postgres, which comes with the package. That user cannot look into root's
# home, so root's cache lies in /var/cache.
service=
as_service=()
default_cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/flowctl-e2e
if [ "$(id -u)" = 0 ]; then
    service=postgres
    as_service=(setpriv "--reuid=$service" "--regid=$service" --init-groups)
    default_cache=/var/cache/flowctl-e2e
fi
cache=${FLOWCTL_E2E_CACHE:-$default_cache}

# give hands a folder to that user.
give() {
    if [ -n "$service" ]; then chown "$service:" "$1"; fi
    chmod 700 "$1"
}

# make_run_folders makes the folder of a run. It is open to walk through, what
# lies in it is not.
make_run_folders() {
    local folder
    mkdir -p "$1"
    chmod 711 "$1"
    for folder in pg log data; do
        mkdir -p "$1/$folder"
        give "$1/$folder"
    done
}

# shellcheck source-path=SCRIPTDIR
source "$here/odoo19/package.sh"
# shellcheck source-path=SCRIPTDIR
source "$here/odoo19/database.sh"
# shellcheck source-path=SCRIPTDIR
source "$here/odoo19/server.sh"

# make_ready installs what is missing and makes the template.
make_ready() {
    install_package
    find_postgres
    mkdir -p "$cache/pycache"
    give "$cache/pycache"
    "${as_service[@]}" test -r "$package/usr/bin/odoo" ||
        fail "user $service cannot read $cache: choose another folder with FLOWCTL_E2E_CACHE"
    make_template
}

start() {
    local run=$1
    if [ -e "$run/env" ] && server_pid "$run" >/dev/null; then
        say "already running in $run"
        cat "$run/env"
        return
    fi
    if [ -d "$run" ] && [ ! -e "$run/.odoo19" ] && [ -n "$(ls -A "$run")" ]; then
        fail "$run has other things in it"
    fi
    make_ready
    stop "$run"
    make_run_folders "$run"
    touch "$run/.odoo19"
    trap 'cp "$run"/log/odoo.log "$cache/failed.log" 2>/dev/null; stop "$run"' EXIT
    copy_template "$run"
    write_configuration "$run" 0
    local made key login
    made=$(odoo_script "$run" "$database" "$here/odoo19/key.py")
    key=$(sed -n 's/^=key //p' <<<"$made")
    login=$(sed -n 's/^=login //p' <<<"$made")
    start_server "$run"
    trap - EXIT

    (umask 077 && cat >"$run/env") <<-ENVIRONMENT
		export FLOWCTL_ODOO_URL=http://127.0.0.1:$port
		export FLOWCTL_ODOO_DB=$database
		export FLOWCTL_ODOO_LOGIN=$login
		export FLOWCTL_ODOO_API_KEY=$key
	ENVIRONMENT
    say "Odoo $version answers on http://127.0.0.1:$port, log in $run/log/odoo.log"
    cat "$run/env"
}

# stop ends what runs in the folder and removes what start put there.
stop() {
    local run=$1
    [ -e "$run/.odoo19" ] || return 0
    find_postgres
    stop_server "$run"
    stop_cluster "$run"
    rm -rf "$run/pg" "$run/data" "$run/log" "$run/env" "$run/.odoo19"
    rmdir "$run" 2>/dev/null || true # it was there before: not ours to remove
}

run=$(realpath -m "${2:-$cache/run}")
case "${1:-}" in
install) make_ready ;;
start) start "$run" ;;
stop) stop "$run" ;;
env) cat "$run/env" ;;
*) usage ;;
esac
