# shellcheck shell=bash disable=SC2034
# What the scripts of the benchmark share; sourced by them, not run. The caller sets program, its
# name for messages.

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root" || exit
bin=build/bench
work=$bin/work
kafka=$bin/kafka
brokers=
payd_pid=
readonly EX_USAGE=64 EX_UNAVAILABLE=69 EX_SOFTWARE=70
readonly PARTITIONS=4

die() { # exit code, sentence
    printf '%s: %s\n' "$program" "$2" >&2
    exit "$1"
}

need_number() { # option value
    [[ ${2:-} =~ ^[1-9][0-9]{0,9}$ ]] || die "$EX_USAGE" "$1 needs a number (see $program --help)"
}

say() { # sentence
    printf '== %s\n' "$1" >&2
}

# Builds with the flags of the release preset, and begins with an empty folder for ledgers.
build() { # groups of packages...
    say 'build'
    mkdir -p "$bin"
    compose/install build "$@" >"$bin/install.log" 2>&1 ||
        die "$EX_UNAVAILABLE" "not everything could be installed: see $bin/install.log"
    cmake --preset bench >"$bin/configure.log" 2>&1 ||
        die "$EX_UNAVAILABLE" "it cannot be configured: see $bin/configure.log"
    cmake --build --preset bench --parallel "$(nproc)" >"$bin/build.log" 2>&1 ||
        die "$EX_UNAVAILABLE" "it cannot be built: see $bin/build.log"
    rm -rf -- "$work"
    mkdir -p "$work"
}

# A real Kafka of its own, on free ports. It goes when the script ends, however that is.
start_kafka() {
    local said
    say 'Kafka'
    compose/kafka stop --clean --dir "$kafka" 2>/dev/null || true
    trap clean_up EXIT
    said=$(compose/kafka start --dir "$kafka") || die "$EX_UNAVAILABLE" "Kafka does not start"
    brokers=$(sed -n 's/^bootstrap=//p' <<<"$said")
}

clean_up() {
    stop_payd
    compose/kafka stop --clean --dir "$kafka" || true
}

stop_payd() {
    if [[ -n $payd_pid ]]; then
        kill -TERM "$payd_pid" 2>/dev/null || true
        wait "$payd_pid" 2>/dev/null || true
        payd_pid=
    fi
}

make_topic() { # name
    "$bin/pay-make-topic" -b "$brokers" -t "$1" --partitions "$PARTITIONS" >>"$work/topics.log" ||
        die "$EX_UNAVAILABLE" "topic $1 cannot be made"
}

delete_topic() { # name
    "$bin/pay-make-topic" --delete -b "$brokers" -t "$1" >>"$work/topics.log" ||
        die "$EX_UNAVAILABLE" "topic $1 cannot be deleted"
}

remove_ledger() { # file
    rm -f -- "$1" "$1-wal" "$1-shm"
}

report() { # arguments of report.py...
    python3 tests/bench/report.py "$@" || die "$EX_SOFTWARE" "a result is wrong, see above"
}

# The open loop against a payd that runs. Leaves latency.json and latency.txt.
measure_latency() { # payments a second, seconds
    local db=$work/latency.db
    say "latency: $1 payments a second for $2 s"
    make_topic bench.latency
    make_topic bench.latency.outcomes
    make_topic bench.probe
    remove_ledger "$db"
    "$bin/payd" run --db "$db" -b "$brokers" -t bench.latency -g bench-latency \
        2>"$work/latency-payd.log" &
    payd_pid=$!
    for _ in {1..300}; do
        ! grep -q 'event=assigned' "$work/latency-payd.log" || break
        sleep 0.1
    done
    "$bin/bench-latency" -b "$brokers" -t bench.latency --probe bench.probe --db "$db" \
        --rate "$1" --seconds "$2" --json "$bin/latency.json" >"$bin/latency.txt" ||
        die "$EX_SOFTWARE" "the latency cannot be measured: see $work/latency-payd.log"
    stop_payd
    "$bin/payd" stats --db "$db" --json >"$work/latency-stats.json"
    report check "$db" "$work/latency-stats.json" "applied=$((($2 + 3) * $1))"
}
