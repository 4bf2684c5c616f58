#!/usr/bin/env bash
# From a fresh clone to a trained network: Postgres, schema, API and worker on this machine. `deploy/run.sh --help` says more.
set -euo pipefail

repo=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
host_project=$repo/src/TrainingService.Host
host_program=$host_project/bin/Release/net10.0/TrainingService.Host.dll
port=${TRAINING_PORT:-8080}
url=http://127.0.0.1:$port
once=''
pull=''
own_data=()
build_pid='' host_pid='' sample_pid=''
export DOTNET_NOLOGO=true DOTNET_GENERATE_ASPNET_CERTIFICATE=false

# shellcheck source=deploy/postgres.sh
. "$repo/deploy/postgres.sh"

main() {
  read_options "$@"
  require_sdk
  require_free_port
  open_data_folder
  trap stop_everything EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  trap 'exit 141' PIPE

  build_host &
  build_pid=$!
  [[ ${ConnectionStrings__Training:-} ]] || start_private_postgres
  wait "$build_pid" || die "The build failed: $(grep -m1 -o 'error .*' "$data/build.log" || tail -n 1 "$data/build.log") (log: $data/build.log)"
  build_pid=''
  [[ ! $pull ]] || (service datasets pull "$pull") || die "$pull could not be pulled."
  migrate
  start_host
  train_sample
  [[ $once ]] || serve
}

read_options() {
  local csv='' target=''
  while (($#)); do
    case $1 in
    --once) once=yes ;;
    --csv)
      [[ ${2:-} ]] || die "--csv needs a file: deploy/run.sh --csv my.csv --target y"
      csv=$2 && shift
      ;;
    --target)
      [[ ${2:-} ]] || die "--target needs the name of the column to predict: deploy/run.sh --csv my.csv --target y"
      target=$2 && shift
      ;;
    --pull)
      [[ ${2:-} ]] || die "--pull needs the name of a data set: deploy/run.sh --pull mnist"
      pull=$2 && shift
      ;;
    -h | --help) usage && exit ;;
    *) die "Unknown option '$1': the only ones are --csv, --target, --pull, --once and --help." ;;
    esac
    shift
  done
  [[ $csv || $target ]] || return 0
  [[ $csv && $target ]] || die "--csv and --target go together: deploy/run.sh --csv my.csv --target y"
  [[ -f $csv && -r $csv ]] || die "There is no file $csv that can be read."
  own_data=(--csv "$(readlink -f "$csv")" --target "$target")
}

usage() {
  cat <<'TEXT'
Usage: deploy/run.sh [--once] [--pull NAME] [--csv FILE --target COLUMN]

Brings up a private Postgres, migrates, serves API and worker on http://127.0.0.1:8080, trains a sample network and keeps serving until Ctrl-C.
  --once                       end after the sample; the exit code is 0 only if it succeeded
  --csv FILE --target COLUMN   in place of the sample: brings the file, asks whether leaky ReLU beats ReLU at predicting the column, tells the verdict
  --pull NAME                  first fetches mnist, kmnist or fashion-mnist from TRAINING_DATASETS_SOURCE, an address or a folder

Environment:
  TRAINING_PORT                 port to serve on (8080)
  TRAINING_DATA_DIR             folder of the database and the logs (.data in the repository)
  ConnectionStrings__Training   Npgsql connection string of a database to use instead of a private Postgres
TEXT
}

require_sdk() {
  local fix="install the .NET 10 SDK (package dotnet-sdk-10.0, or https://dot.net/download) and put dotnet on PATH"
  command -v dotnet >/dev/null || die "dotnet was not found: $fix."
  (cd "$repo" && dotnet --version) </dev/null >/dev/null 2>&1 ||
    die "dotnet has no SDK of version 10 (it has: $(dotnet --list-sdks 2>/dev/null | awk '{ printf "%s%s", sep, $1; sep = ", " } END { if (!NR) printf "none" }')): $fix."
}

require_free_port() {
  [[ $port =~ ^[1-9][0-9]{0,4}$ && $port -lt 65536 ]] || die "TRAINING_PORT is '$port': it must be a number from 1 to 65535."
  ! port_in_use "$port" || die "Port $port is in use: stop what listens there, or choose another one, as in TRAINING_PORT=$((port < 65535 ? port + 1 : 8080)) deploy/run.sh."
}

# Sets data, and holds its lock until the last process that works on it has ended: Postgres and the host inherit the descriptor.
open_data_folder() {
  local wanted=${TRAINING_DATA_DIR:-$repo/.data}
  if ! { data=$(umask 077 && mkdir -p "$wanted" && cd "$wanted" && pwd) && : >>"$data/lock"; } 2>/dev/null; then
    die "The data folder $wanted cannot be written: make it writable, or choose another one with TRAINING_DATA_DIR."
  fi
  export TRAINING_DATA_DIR=$data
  exec {lock}>>"$data/lock"
  flock --nonblock "$lock" || die "Another deploy/run.sh works on $data, or is still ending: stop it, or choose another folder with TRAINING_DATA_DIR."
}

# Without the analysers, which are the business of .ci/run; in a session of its own, to be ended as a whole.
build_host() {
  echo "Building"
  exec setsid dotnet build "$host_project" --configuration Release --nologo -verbosity:quiet -maxCpuCount:1 -nodeReuse:false \
    -property:UseSharedCompilation=false -property:RunAnalyzers=false -property:NuGetAudit=false {lock}>&- >"$data/build.log" 2>&1
}

start_private_postgres() {
  local cluster=$data/pg password=$data/pg-password
  find_postgres "$(cat "$cluster/PG_VERSION" 2>/dev/null || true)"
  if [[ ! -d $cluster ]]; then
    echo "Creating a Postgres cluster in $cluster"
    create_cluster "$cluster" "$password"
  fi
  [[ -s $password ]] || die "$password is missing: put it back, or move $cluster away to start with an empty database."
  start_cluster "$cluster" "$data/postgres.log"
  ConnectionStrings__Training="Host=127.0.0.1;Port=$pg_port;Database=training;Username=training;Password=$(<"$password")"
  export ConnectionStrings__Training
}

migrate() {
  echo "Migrating the database"
  service --role migrate </dev/null >"$data/migrate.log" 2>&1 &
  host_pid=$!
  wait "$host_pid" || die "The database could not be migrated: $(reason "$data/migrate.log")"
}

start_host() {
  echo "Starting API and worker on $url (log: $data/service.log)"
  ASPNETCORE_URLS=$url service --role all </dev/null >"$data/service.log" 2>&1 &
  host_pid=$!
}

# In a session of its own, so that Ctrl-C reaches only this script, which ends things in order; and not for longer than the script, however that ends.
# Compiled code is mapped once, not twice: 45 MB less.
service() {
  DOTNET_EnableWriteXorExecute=0 exec setsid setpriv --pdeathsig TERM dotnet "$host_program" "$@"
}

train_sample() {
  setpriv --pdeathsig TERM dotnet "$host_program" demo --url "$url" "${own_data[@]}" &
  sample_pid=$!
  local outcome=0
  wait -n "$sample_pid" "$host_pid" || outcome=$?
  require_host
  sample_pid=''
  return "$outcome"
}

serve() {
  echo
  echo "Serving until Ctrl-C."
  trap 'exit 0' INT TERM
  wait "$host_pid" || true
  require_host
}

require_host() {
  kill -0 "$host_pid" 2>/dev/null || die "The service ended: $(reason "$data/service.log")"
}

# The host says in its last line why it stopped.
reason() {
  printf '%s (log: %s)' "$(grep -v '^[[:space:]]*$' "$1" | tail -n 1)" "$1"
}

# The host before its database.
stop_everything() {
  trap '' HUP INT TERM PIPE
  [[ -z $build_pid ]] || kill -TERM -- "-$build_pid" 2>/dev/null || kill -TERM "$build_pid" 2>/dev/null || true
  if [[ $sample_pid ]]; then
    kill -TERM "$sample_pid" 2>/dev/null || true
    [[ ! -t 1 ]] || printf '\e[?25h' || true # its progress bar had hidden the cursor
  fi
  [[ -z $host_pid ]] || kill -TERM "$host_pid" 2>/dev/null || true
  [[ -z $host_pid ]] || wait "$host_pid" || true
  stop_cluster
}

main "$@"
