#!/usr/bin/env bash
# Runs the tests on a Postgres of their own and ends with the line `N passed, N failed`. --slow adds those with the trait Category=Slow,
# most of which kill processes and wait until others notice; --all adds the large simulations (Category=Simulation), too, which take half
# an hour. --storm runs nothing but the long storm (Category=Storm): three minutes in which processes, Postgres and the network fail;
# TRAINING_STORM_SEED repeats one. --soak runs 5,000 jobs and tells what grows.
set -euo pipefail

repo=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
filter=(-trait- Category=Simulation -trait- Category=Storm -trait- Category=Soak)
projects=(TrainingService.Engine.Tests TrainingService.Host.Tests)
reporter=(quiet) # which shows no test's output but of those that fail
build_pid='' test_pid=''
passed=0 failed=0 skipped=0

# shellcheck source=deploy/postgres.sh
. "$repo/deploy/postgres.sh"

main() {
  case ${1-} in
  '') filter+=(-trait- Category=Slow) ;;
  --slow) ;;
  --all) filter=() ;;
  --storm) filter=(-trait Category=Storm) reporter=(default -showLiveOutput) projects=(TrainingService.Host.Tests) ;;
  --soak) filter=(-trait Category=Soak) reporter=(default -showLiveOutput) projects=(TrainingService.Host.Tests) ;;
  *) die "Unknown option '$1': there are --slow, --all, --storm and --soak." ;;
  esac
  command -v dotnet >/dev/null || die "dotnet was not found: install the .NET 10 SDK."
  temporary=$(mktemp -d)
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP

  build &
  build_pid=$!
  [[ ${filter[*]} == *Slow* ]] || install_fashion_mnist
  [[ ${TRAINING_TEST_POSTGRES-} ]] || start_test_postgres
  wait "$build_pid" || die "The build failed: the errors are above."
  build_pid=''
  local project
  for project in "${projects[@]}"; do run_tests "$project"; done
  summary
}

# In a session of its own, to be ended as a whole.
build() {
  exec setsid dotnet build "$repo/TrainingService.sln" --configuration Release --nologo -verbosity:quiet \
    -consoleLoggerParameters:NoSummary -nodeReuse:false -property:UseSharedCompilation=false
}

# Not needed by any other test, so where it can't be installed those that need it say so and skip.
install_fashion_mnist() {
  [[ ! -d /usr/share/datasets/fashion-mnist && $EUID == 0 ]] && command -v apt-get >/dev/null || return 0
  {
    apt-get update -qq &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends dataset-fashion-mnist
  } </dev/null >"$temporary/apt.log" 2>&1 ||
    echo "Fashion-MNIST could not be installed: $(tail -n 1 "$temporary/apt.log")"
}

# Nothing here has to survive a power cut.
start_test_postgres() {
  find_postgres ''
  create_cluster "$temporary/pg" "$temporary/pg-password" --no-sync
  start_cluster "$temporary/pg" "$temporary/postgres.log" fsync=off synchronous_commit=off full_page_writes=off max_connections=300
  export TRAINING_TEST_POSTGRES="Host=127.0.0.1;Port=$pg_port;Database=postgres;Username=training;Include Error Detail=true;Password="
  TRAINING_TEST_POSTGRES+=$(<"$temporary/pg-password")
}

run_tests() {
  local report=$temporary/$1.xml started=$SECONDS at_once=2x # many wait for processes; the engine's compute
  [[ $1 != *Engine* ]] || at_once=1x
  echo "== $1"
  setsid dotnet "$repo/tests/$1/bin/Release/net10.0/$1.dll" -noColor -noLogo -noAutoReporters -reporter "${reporter[@]}" \
    -longRunning 240 -maxThreads $at_once "${filter[@]}" -result-xml "$report" </dev/null &
  test_pid=$!
  wait "$test_pid" || true
  test_pid=''
  if [[ -s $report ]]; then
    add_up "$report"
    slowest "$report"
  else
    echo "$1 did not come to its end"
    ((failed += 1))
  fi
  echo "== $1: $((SECONDS - started)) s"
}

# An error outside a test (a fixture's, say) counts as a failure.
add_up() {
  local totals
  totals=$(grep -o '<assembly [^>]*>' "$1")
  ((passed += $(attribute passed "$totals"), skipped += $(attribute skipped "$totals"),
    failed += $(attribute failed "$totals") + $(attribute errors "$totals"))) || true
}

slowest() {
  grep -o '<test [^>]*>' "$1" | sed -E 's/.* name="([^"]*)".* time="([0-9.]*)".*/\2 s  \1/' | sort -rn |
    awk 'NR <= 3 && $1 >= 10 { print "slow: " $0 }'
}

attribute() {
  grep -o " $1=\"[0-9]*\"" <<<"$2" | tr -dc '0-9'
}

summary() {
  local line="$passed passed, $failed failed"
  ((skipped == 0)) || line+=", $skipped skipped"
  echo "$line"
  ((failed == 0 && passed > 0))
}

clean_up() {
  trap '' HUP INT TERM
  [[ -z $build_pid ]] || kill -TERM -- "-$build_pid" 2>/dev/null || kill -TERM "$build_pid" 2>/dev/null || true
  if [[ $test_pid ]]; then
    kill -TERM "$test_pid" 2>/dev/null || true
    sleep 1 # what the fixtures started ends with them; then whatever is left
    kill -TERM -- "-$test_pid" 2>/dev/null || true
  fi
  stop_cluster
  rm -rf "$temporary"
}

main "$@"
