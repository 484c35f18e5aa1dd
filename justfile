# What can be done with the repository. `./lifelong.sh VERB` prepares the environment first and then comes here.

set positional-arguments

bin := justfile_directory() / ".venv/bin"

# list the recipes
default:
    @"{{bin}}/just" --list

# the main job: tasks of one environment after another, awake and asleep, and a report at the end
[no-cd]
[no-exit-message]
run *flags:
    @"{{bin}}/lifelong" run "$@"

# everything that must hold: linters, types, then the tests, the quick ones first
[no-exit-message]
test: check unit
    # One thread: several OpenMP runtimes in one process (PyTorch's, FAISS's) may crash when each starts threads of its own.
    # Properties are tried once more, on all their examples.
    OMP_NUM_THREADS=1 "{{bin}}/python" -m pytest -m "(model or slow or hypothesis) and not vllm"
    "{{bin}}/python" -m pytest -m vllm

# linters, formatting, types, and who may import whom
[no-exit-message]
check:
    "{{bin}}/ruff" check .
    "{{bin}}/ruff" format --check .
    "{{bin}}/mypy"
    "{{bin}}/lint-imports"

# known vulnerabilities of the pinned packages, and the licences that the core brings along
[no-exit-message]
audit *flags:
    "{{bin}}/python" "{{justfile_directory()}}/.ci/audit.py" "$@"

# the tests that need neither model files nor a network, on up to four processes; under 90 seconds on two cores
[no-exit-message]
unit *flags:
    # Worksteal keeps a file's tests in one process, so that its fixtures are made once. The compiled tests and modules are kept even
    # where Python was told not to write any, because every process and every command that a test starts would compile them anew.
    # What they write lies in memory where there is room: nobody keeps it, and a disk would be waited for at every commit.
    PYTEST_DEBUG_TEMPROOT="$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $4 > 2000000 { print "/dev/shm" }')" \
        PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 "{{bin}}/python" -m pytest -o tmp_path_retention_count=1 --numprocesses auto --maxprocesses 4 --dist worksteal \
        --hypothesis-profile quick -m "not model and not vllm and not slow" "$@"

# agents from npm (Codex, OpenCode, Cline, Continue, Qwen Code) and Python libraries against `lifelong serve` with a scripted model behind it
[no-exit-message]
clients *flags:
    "{{bin}}/python" tests/support/real_clients/install.py
    OMP_NUM_THREADS=1 "{{bin}}/python" -m pytest tests/clients "$@"

# write the measured tables of evals/results into README.md and docs/benchmarks.md
[no-exit-message]
docs:
    "{{bin}}/lifelong" bench --documents
