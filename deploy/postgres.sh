# shellcheck shell=bash
# A private Postgres: find or install it, create a cluster, start it, stop it. Sourced by deploy/run.sh and tests/run.sh.

# Postgres refuses to run as root; as root it therefore runs as another user. That user may not be able to walk to the cluster's folder (a clone below
# /root, a temporary folder of mode 700), so the folder and the password file reach it as open descriptors instead of paths.
pg_as=()
if ((EUID == 0)); then
  pg_user=nobody
fi
pg_pid=''

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# Sets pg_bin to the programs of the newest server, or of the major version given.
find_postgres() {
  local version=${1:-}
  if ! pg_bin=$(installed_postgres "$version") && [[ $EUID == 0 && -z $version ]] && command -v apt-get >/dev/null; then
    install_postgres
    pg_bin=$(installed_postgres)
  fi
  [[ $pg_bin ]] || die "Postgres ${version:+$version }was not found: install it (apt-get install postgresql${version:+-$version}), or set ConnectionStrings__Training to a server of yours."
  if ((EUID == 0)); then
    ! id postgres >/dev/null 2>&1 || pg_user=postgres
    pg_as=(--reuid="$pg_user" --regid="$(id -g "$pg_user")" --clear-groups)
  fi
}

installed_postgres() {
  local version=${1:-} on_path folder
  on_path=$(readlink -f "$(command -v pg_ctl)" || true)
  for folder in "${on_path%/*}" $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV); do
    [[ -x $folder/postgres && -x $folder/initdb && -x $folder/pg_isready ]] || continue
    [[ -z $version || $("$folder/postgres" --version) =~ \)\ $version(\.|$|[^0-9]) ]] || continue
    printf '%s\n' "$folder"
    return
  done
  return 1
}

install_postgres() {
  local no_cluster=/etc/postgresql-common/createcluster.d/training-service.conf log
  log=$(mktemp)
  echo "Installing Postgres (apt-get install postgresql)"
  mkdir -p "${no_cluster%/*}"
  echo 'create_main_cluster = false' >"$no_cluster"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql; } </dev/null >"$log" 2>&1 ||
    { rm -f "$no_cluster"; die "apt-get could not install Postgres ($(grep -m1 '^E:' "$log" || tail -n 1 "$log")): install the package postgresql yourself."; }
  rm -f "$no_cluster" "$log"
}

# create_cluster FOLDER PASSWORD_FILE [INITDB_OPTION...]: a cluster with the database `training`, whole or not at all.
create_cluster() {
  local folder=$1 password=$2 new=$1.new log
  shift 2
  [[ -s $password ]] || (umask 077 && head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$password")
  rm -rf "$new"
  mkdir -m 700 "$new"
  ((EUID != 0)) || chown "$pg_user" "$new" "$password"
  log=$({
    as_server "$pg_bin/initdb" -D /proc/self/fd/8 --pwfile=/proc/self/fd/9 --username=training --auth=scram-sha-256 --encoding=UTF8 --no-locale "$@" &&
      as_server "$pg_bin/postgres" --single -j -D /proc/self/fd/8 postgres <<<'CREATE DATABASE training;'
  } 8<"$new" 9<"$password" 2>&1) || die "Postgres could not create its cluster in $folder: $(tail -n 1 <<<"$log")"
  mv "$new" "$folder"
}

# start_cluster FOLDER LOG [SETTING...]: on 127.0.0.1 and a free port; sets pg_pid and pg_port. Postgres ends when the shell ends, however that ends.
start_cluster() {
  local folder=$1 log=$2 setting settings=()
  shift 2
  for setting in "$@"; do settings+=(-c "$setting"); done
  forget_dead_server "$folder"
  pg_port=$(free_port)
  setsid setpriv --pdeathsig INT "${pg_as[@]}" -- "$pg_bin/postgres" -D /proc/self/fd/8 -p "$pg_port" \
    -c listen_addresses=127.0.0.1 -c unix_socket_directories= "${settings[@]}" 8<"$folder" </dev/null >"$log" 2>&1 &
  pg_pid=$!
  until "$pg_bin/pg_isready" -q -h 127.0.0.1 -p "$pg_port"; do
    kill -0 "$pg_pid" 2>/dev/null || die "Postgres did not start: $(grep -m1 FATAL "$log" || tail -n 1 "$log") (log: $log)"
    sleep 0.1
  done
}

# Fast mode: clients are disconnected, nothing that was committed is lost. A server that has only just been forked ignores the signal, hence the repetition.
stop_cluster() {
  [[ $pg_pid ]] || return 0
  while kill -INT "$pg_pid" 2>/dev/null; do sleep 0.1; done
  pg_pid=''
}

# Postgres itself sees through a postmaster.pid left by a crash, except where another process has that id by now.
forget_dead_server() {
  local folder=$1 pid
  [[ -s $folder/postmaster.pid ]] || return 0
  pid=$(head -n 1 "$folder/postmaster.pid")
  kill -0 "$pid" 2>/dev/null || return 0
  [[ ! /proc/$pid/cwd -ef $folder ]] || die "A Postgres server (process $pid) still works on $folder: stop it (kill -INT $pid) and start again."
  rm "$folder/postmaster.pid"
}

free_port() {
  local port
  while port=$((20000 + RANDOM % 12000)); port_in_use "$port"; do :; done
  echo "$port"
}

port_in_use() {
  (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

as_server() {
  setpriv "${pg_as[@]}" -- "$@"
}
