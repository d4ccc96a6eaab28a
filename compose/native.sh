# shellcheck shell=bash disable=SC2034,SC2154
# What the two native start scripts share; sourced by them, not run. The caller sets program, its
# name for messages, and marker, the file that marks a folder as its own.

# Exit codes of sysexits.h, the ones that pay and payd use too, and LSB's for "not running".
readonly EX_USAGE=64 EX_UNAVAILABLE=69 EX_CANTCREAT=73 NOT_RUNNING=3

die() { # exit code, sentence
    printf '%s: %s\n' "$program" "$2" >&2
    exit "$1"
}

bad_usage() { # sentence
    die "$EX_USAGE" "$1 (see $program --help)"
}

need_command() { # command, Debian package
    command -v "$1" >/dev/null ||
        die "$EX_UNAVAILABLE" "$1 is missing: install it with: apt install $2"
}

check_port() { # text
    [[ $1 =~ ^[1-9][0-9]{0,4}$ && $1 -le 65535 ]] || bad_usage "\"$1\" is not a port"
}

port_answers() { # port
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Set free_port to a port that nobody uses now and that is not among the arguments. It lies below
# the range (32768 and up) that Linux takes for outgoing connections, so that it is still free
# when the server comes back to it.
find_free_port() { # ports to avoid...
    for _ in {1..100}; do
        free_port=$((20000 + SRANDOM % 12000))
        if [[ " $* " != *" $free_port "* ]] && ! port_answers "$free_port"; then
            return 0
        fi
    done
    die "$EX_UNAVAILABLE" "no free port was found between 20000 and 31999: name one with --port"
}

# Better said here than at the end of the server's log. A server killed a moment ago may still
# hold its port for an instant.
need_free_ports() { # ports...
    local number
    for number in "$@"; do
        for _ in {1..20}; do
            port_answers "$number" || continue 2
            sleep 0.1
        done
        die "$EX_UNAVAILABLE" "port $number of 127.0.0.1 is taken: name another with --port"
    done
}

# Make the folder, or take an empty one, and mark it: stop --clean removes only what is marked.
claim_dir() { # folder
    if [[ ! -e $1/$marker ]]; then
        if [[ -d $1 && -n $(ls -A -- "$1") && ! -e $1/$marker ]]; then
            die "$EX_USAGE" "$1 holds other files: name a new or an empty folder with --dir"
        fi
        mkdir -p -- "$1" || die "$EX_CANTCREAT" "$1 cannot be made: name another with --dir"
        : >"$1/$marker"
    fi
    dir=$(cd -- "$1" && pwd)
}

# Set dir to a folder that claim_dir marked, or fail.
find_dir() { # folder
    [[ -d $1 ]] || return 1
    [[ -e $1/$marker ]] ||
        die "$EX_USAGE" "$1 was not made by $program start: name the right folder with --dir"
    dir=$(cd -- "$1" && pwd)
}

# One start or stop at a time in a folder. Descriptor 9 holds the lock; the server must not
# inherit it, or the lock would last as long as the server.
lock_dir() {
    exec 9>"$dir/lock"
    flock -w 90 9 || die "$EX_UNAVAILABLE" "another $program is busy in $dir: try again later"
}

# Set pid to the server's process id, or fail when it is not running. Its command line names the
# folder, so a process that took over an old id is not mistaken for it. A zombie has no command
# line, and neither has a process for an instant while it becomes another program: look again.
find_pid() {
    local number='' words=''
    [[ -r $dir/pid ]] || return 1
    read -r number <"$dir/pid" || return 1
    for _ in {1..20}; do
        words=$(tr '\0' ' ' 2>/dev/null <"/proc/$number/cmdline") || return 1
        [[ -z $words ]] || break
        ! grep -q '^State:[[:space:]]*Z' "/proc/$number/status" 2>/dev/null || return 1
        sleep 0.01
    done
    [[ $words == *"$dir/"* ]] || return 1
    pid=$number
}

wait_until_gone() { # seconds
    local end=$((SECONDS + $1))
    while find_pid; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

# Run the command as a server that outlives this script and its terminal and that keeps none of
# the caller's files open. A background job of a script leads no process group, so setsid need
# not fork, and $! is the server's own id.
launch() { # command...
    setsid "$@" </dev/null >>"$dir/log" 2>&1 9>&- &
    printf '%s\n' "$!" >"$dir/pid.new"
    mv -f -- "$dir/pid.new" "$dir/pid"
    # Until the new process has become the server, it still has this script's command line.
    for _ in {1..100}; do
        if find_pid || ! kill -0 "$!" 2>/dev/null; then
            return 0
        fi
        sleep 0.02
    done
}

# The log is kept over restarts; what comes after this call belongs to this start.
begin_log() {
    touch -- "$dir/log"
    log_start=$(stat -c %s -- "$dir/log")
}

this_starts_log() {
    tail -c "+$((log_start + 1))" -- "$dir/log"
}

fail_start() { # sentence
    {
        printf '%s: %s\n' "$program" "$1"
        printf 'The last lines of %s:\n' "$dir/log"
        this_starts_log | tail -n 30
    } >&2
    if find_pid; then
        kill -KILL "$pid" 2>/dev/null || true
    fi
    rm -f -- "$dir/pid"
    exit "$EX_UNAVAILABLE"
}

stop_server() { # signal
    if find_pid; then
        kill "-$1" "$pid" 2>/dev/null || true
        if ! wait_until_gone 30; then
            printf '%s: process %s ignored SIG%s for 30 s: it is killed\n' \
                "$program" "$pid" "$1" >&2
            kill -KILL "$pid" 2>/dev/null || true
            wait_until_gone 10 || die "$EX_UNAVAILABLE" "process $pid does not end"
        fi
    fi
    rm -f -- "$dir/pid"
}
