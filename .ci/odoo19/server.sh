# The Odoo 19 server process of a run. Sourced by odoo19.sh.

# The system's own interpreter: Debian's libraries belong to it. One from pyenv
# or a virtual environment further ahead in PATH does not see them.
python=/usr/bin/python3

# write_configuration writes the configuration of the Odoo in folder $1 that
# listens on port $2 of the loopback.
write_configuration() {
    "${as_service[@]}" tee "$1/data/odoo.conf" >/dev/null <<-SETTINGS
		[options]
		addons_path = $package/usr/lib/python3/dist-packages/odoo/addons
		data_dir = $1/data
		db_host = $(cat "$1/socket")
		db_user = $role
		http_interface = 127.0.0.1
		http_port = $2
		pidfile = $1/data/odoo.pid
		; No scheduled jobs: they change records while a test looks at them.
		max_cron_threads = 0
		workers = 0
		without_demo = True
	SETTINGS
}

# odoo_command sets the array $command to a command line of Odoo's for the folder
# $1: a subcommand and its flags, the server without one. The environment is
# built from nothing, so that no setting of the caller's (PYTHON*, PG*) leaks in.
# Compiled modules go to the cache, where the next start finds them.
odoo_command() {
    local folder=$1 subcommand=()
    shift
    if [ "${1:-}" = shell ]; then
        subcommand=(shell)
        shift
    fi
    command=(
        "${as_service[@]}" env -i -C "$folder/data"
        PATH=/usr/bin:/bin HOME="$folder/data" LANG=C.UTF-8 TZ=UTC
        PYTHONPATH="$package/usr/lib/python3/dist-packages" PYTHONPYCACHEPREFIX="$cache/pycache"
        "$python" "$package/usr/bin/odoo" "${subcommand[@]}" -c "$folder/data/odoo.conf" "$@"
    )
}

# odoo_script runs a Python file inside database $2 of folder $1 and prints the
# lines it prints that begin with "=".
odoo_script() {
    local out command
    odoo_command "$1" shell -d "$2" --no-http --log-level=warn
    out=$("${command[@]}" <"$3" 2>>"$1/log/shell.log") ||
        fail "$(basename "$3") failed: $(tail -n 15 "$1/log/shell.log")"
    # The shell answers 0 whatever the script did: the last line tells.
    grep -q '^=done$' <<<"$out" || fail "$(basename "$3") did not finish: $(tail -n 15 "$1/log/shell.log")"
    grep '^=' <<<"$out"
}

# server_pid prints the id of the server of folder $1 if it runs: a process of
# that id that has the folder's configuration on its command line, since ids are
# given to others after a crash.
server_pid() {
    local pid
    pid=$(cat "$1/data/odoo.pid" 2>/dev/null) || return 1
    tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qxF "$1/data/odoo.conf" || return 1
    echo "$pid"
}

# free_port prints a port that nobody listens on just now.
free_port() {
    "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# answers tells whether Odoo answers on port $1.
answers() {
    "$python" - "$1" 2>/dev/null <<-'PYTHON'
		import sys, urllib.request
		opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
		opener.open(f"http://127.0.0.1:{sys.argv[1]}/web/health", timeout=5)
	PYTHON
}

# start_server starts the server of folder $1 and sets $port. Another process
# may take the port between choosing and listening: then it tries another.
start_server() {
    local attempt command
    for attempt in 1 2 3; do
        port=$(free_port)
        write_configuration "$1" "$port"
        odoo_command "$1" -d "$database"
        # A session of its own: a signal to the caller's group leaves it alone.
        setsid "${command[@]}" </dev/null >>"$1/log/odoo.log" 2>&1 &
        local waiter=$!
        while kill -0 "$waiter" 2>/dev/null; do
            if server_pid "$1" >/dev/null && answers "$port"; then return 0; fi
            sleep 0.2
        done
        grep -q 'Address already in use' "$1/log/odoo.log" || break
        say "port $port was taken, attempt $((attempt + 1))"
    done
    fail "Odoo did not start: $(tail -n 15 "$1/log/odoo.log")"
}

# stop_server stops the server of folder $1, if it runs, and waits for its end.
stop_server() {
    local pid tries
    for tries in $(seq 150); do
        pid=$(server_pid "$1") || return 0
        # Odoo finishes its work on the first signal and ends at once on the
        # second. A signal may come too late; the next round sees that.
        case $tries in
        1 | 50) kill "$pid" || true ;;
        100) kill -KILL "$pid" || true ;;
        esac
        sleep 0.1
    done
    say "the server $pid in $1 did not end"
}
