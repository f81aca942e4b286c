# packages.sh: the Debian 12 packages that libepi is built, shown and tested
# with. Read by tests/run and examples/quickstart:
#
#     . tests/support/packages.sh
#     epi_missing build demo     # names what is not installed
#     epi_install build demo     # installs that, or says how

epi_packages_build="gcc libc6-dev meson ninja-build pkg-config libev-dev
  libwolfssl-dev libcjson-dev libc-ares-dev libnftables-dev libzstd-dev
  libmicrohttpd-dev libcrypt-dev"
epi_packages_demo="curl nginx-light iproute2 nftables procps python3"
epi_packages_bench="nginx-light libnginx-mod-stream haproxy dante-server microsocks
  redsocks iproute2 iptables nftables procps python3 strace valgrind"
epi_packages_test="clang libclang-rt-14-dev llvm g++ libcriterion-dev
  abigail-tools chromium clang-format binutils git python3 python3-jsonschema
  curl netcat-openbsd openssh-client openssh-server microsocks dante-server
  dante-client proxychains4 ncat nmap python3-socks libio-socket-socks-perl
  openssl
  graphviz iproute2 iptables nftables procps
  python3-pytest python3-hypothesis python3-pip python3-venv mypy"

# Print the packages of the named sets that are not installed, in one line;
# nothing if all are there.
epi_missing() {
  local set packages package missing=""

  for set in "$@"; do
    packages="epi_packages_$set"
    for package in ${!packages}; do
      case " $missing " in
      *" $package "*) continue ;;
      esac
      case $(dpkg-query -W -f '${db:Status-Status} ' "$package" 2>&1) in
      "installed "*) ;;
      *) missing="$missing${missing:+ }$package" ;;
      esac
    done
  done
  [ -z "$missing" ] || echo "$missing"
}

# Install what is missing of the named sets. Returns 0 when all is there, 1
# with a line on standard error when it is not.
epi_install() {
  local missing

  missing=$(epi_missing "$@")
  if [ -z "$missing" ]; then
    return 0
  fi
  if [ "$(id -u)" != 0 ]; then
    echo "packages are missing: sudo apt-get install $missing" >&2
    return 1
  fi
  echo "Installing $missing"
  # shellcheck disable=SC2086 # one word for each package
  if ! epi_install_quietly $missing; then
    echo "installing failed: apt-get install $missing" >&2
    return 1
  fi
}

# Servers among the packages (nginx, sshd, danted) must not start by
# themselves: Debian asks policy-rc.d, if there is one, and 101 says no.
epi_install_quietly() (
  policy=/usr/sbin/policy-rc.d
  log=$(mktemp) || exit 1
  trap 'rm -f "$log"' EXIT
  trap 'exit 1' INT TERM HUP
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$log" "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" || exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  retries="-o Acquire::Retries=5"
  # shellcheck disable=SC2086 # two words
  if apt-get -q $retries update >"$log" 2>&1 </dev/null &&
    apt-get -qy $retries install --no-install-recommends "$@" \
      >>"$log" 2>&1 </dev/null
  then
    exit 0
  fi
  tail -n 20 "$log" >&2
  exit 1
)
