# The Odoo 19 package: found, downloaded and unpacked, and the Debian libraries
# it runs on. Sourced by odoo19.sh.
#
# Debian keeps odoo-19 in its unstable suite only. The second source needed for
# it is derived from the machine's own sources and lives in the cache folder,
# with lists and state of its own: nothing under /etc/apt or /var/lib/apt
# changes, so there is nothing to put back.

# The libraries that Odoo 19 loads, by their Debian names (recording odoo19,
# NOTES.md). A newer release may have dropped one of them (python3-pypdf2);
# what Odoo then misses shows when the template is made.
python_libraries=(
    asn1crypto babel bs4 cbor2 certifi chardet charset-normalizer cryptography
    dateutil defusedxml docutils geoip2 gevent idna libsass lxml magic
    markupsafe maxminddb num2words ofxparse openpyxl openssl passlib
    phonenumbers pil png polib psutil psycopg2 pygments pypdf pypdf2 qrcode
    reportlab requests rjsmin roman setproctitle soupsieve stdnum tz urllib3
    vobject werkzeug xlrd xlsxwriter xlwt zeep zope.interface
)

# as_root runs a command as root, or says plainly that it cannot.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        cannot "needs root (or sudo without a password) to run: $*"
    fi
}

# apt_install installs those of the named packages that are missing.
apt_install() {
    local package missing=()
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    # A fresh image has no lists at all.
    apt-cache show "${missing[0]}" >/dev/null 2>&1 || as_root apt-get -qq update >&2

    local known=()
    for package in "${missing[@]}"; do
        if apt-cache show "$package" >/dev/null 2>&1; then
            known+=("$package")
        else
            say "not in this release, going on without: $package"
        fi
    done
    [ ${#known[@]} -gt 0 ] || return 0
    say "installing ${#known[@]} Debian packages: ${known[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
        "${known[@]}" >"$cache/apt-install.log" 2>&1 </dev/null ||
        cannot "apt-get install failed: $(tail -n 3 "$cache/apt-install.log")"
}

# second_apt runs an apt tool with the second source, and only that, in state
# folders of its own.
second_apt() {
    local tool=$1
    shift
    "$tool" -qq \
        -o Dir::Etc::SourceList=/dev/null \
        -o Dir::Etc::SourceParts="$cache/apt/sources" \
        -o Dir::State::Lists="$cache/apt/lists" \
        -o Dir::Cache="$cache/apt/cache" \
        -o APT::Sandbox::User=root \
        "$@"
}

# archives lists the mirrors that serve this machine its own release.
archives() {
    local codename
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    # --no-release-info: also where the lists were never downloaded.
    apt-get indextargets --no-release-info --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
        awk -v release="$codename" '$1 == release && $2 == "main" { print $3 }' | sort -u
}

# write_second_source writes the source file for one mirror.
write_second_source() {
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    {
        echo "Types: deb"
        echo "URIs: $1"
        echo "Suites: sid"
        echo "Components: main"
        [ ! -e "$keyring" ] || echo "Signed-By: $keyring"
    } >"$cache/apt/sources/sid.sources"
}

# download_package leaves the newest odoo-19_*.deb in the cache folder.
download_package() {
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
        cannot "Odoo 19 comes from Debian's archive, and this machine has no apt"
    mkdir -p "$cache/apt/sources" "$cache/apt/lists/partial" "$cache/apt/cache/archives/partial"

    local mirror
    while read -r mirror; do
        write_second_source "$mirror"
        second_apt apt-get update >&2 || continue
        second_apt apt-cache show odoo-19 >/dev/null 2>&1 || continue
        say "downloading odoo-19 (about 120 MB)"
        (cd "$cache" && second_apt apt-get download odoo-19 >&2) && break
    done < <(archives)
    rm -rf "$cache/apt"
    compgen -G "$cache/odoo-19_*.deb" >/dev/null ||
        cannot "none of this machine's apt sources offers Debian's package odoo-19"
}

# install_package makes sure that the unpacked package and all it needs are
# there, and sets $version and $package.
install_package() {
    mkdir -p "$cache"
    chmod 755 "$cache"
    exec 9>"$cache/lock"
    flock 9 # two runs side by side download once
    find_package || {
        compgen -G "$cache/odoo-19_*.deb" >/dev/null || download_package
        unpack_package
        find_package || cannot "odoo-19 was unpacked and is not there"
    }
    apt_install postgresql "${python_libraries[@]/#/python3-}"
    exec 9>&-
}

# unpack_package unpacks the downloaded file beside it, all or nothing.
unpack_package() {
    local deb
    deb=$(compgen -G "$cache/odoo-19_*.deb" | sort -V | tail -n 1)
    local target=$cache/package-$(dpkg-deb -f "$deb" Version)
    say "unpacking $(basename "$deb")"
    rm -rf "$target.part"
    dpkg-deb -x "$deb" "$target.part"
    mv "$target.part" "$target"
    rm -f "$deb"
}

# find_package sets $package to the newest unpacked package and $version to its
# version; false when there is none.
find_package() {
    package=$(compgen -G "$cache/package-*" | grep -v '\.part$' | sort -V | tail -n 1)
    [ -n "$package" ] || return 1
    version=${package##*/package-}
}
