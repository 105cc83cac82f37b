#!/bin/sh
# Everything that can only be seen on a GPU, in one run of at most 10 minutes, into one dated file.
#
#     benches/gpu.sh BUNDLES [--cuda DIR]
#     benches/gpu.sh --dry BUNDLES           the same with bundles for the CPU: a check of this script
#
# BUNDLES is a folder that holds, as far as they were made, `selftest` and `report`, the bundles of
# `veracity bundle --device cuda`, see docs/gpu.md. Nothing else is needed but, for the comparison, Python
# with PyTorch (`PYTHON` names another than python3). What is cheap and decides about the rest comes first; a
# part that fails or takes too long ends no other. The file and the results for `veracity import` are written into BUNDLES/out.
set -u
name=gpu title="Seen on a GPU" machine=nvidia-smi patience=1 compared=
if [ "${1:-}" = --dry ]; then
    name=dry title="A dry run without a GPU" machine="uname -a" patience=5 compared="--device cpu --small"
    shift
fi
bundles=${1:?"usage: benches/gpu.sh [--dry] BUNDLES [--cuda DIR]"}
shift
python=${PYTHON:-python3}
benches=$(dirname "$0")
out="$bundles/out"
mkdir -p "$out"
file="$out/$name-$(date -u +%Y-%m-%d).md"
failed=0

part() {
    heading=$1
    seconds=$(($2 * patience))
    shift 2
    { printf '\n## %s\n\n`%s`\n\n```text\n' "$heading" "$*"; } >> "$file"
    start=$(date +%s)
    timeout "$seconds" "$@" > "$out/part" 2>&1
    status=$?
    tail -c 20000 "$out/part" | tee -a "$file"
    taken=$(($(date +%s) - start))
    printf '```\n\nexit status %s after %s s\n' "$status" "$taken" | tee -a "$file"
    [ "$status" -eq 0 ] || failed=$((failed + 1))
}

printf '# %s, %s\n' "$title" "$(date -u +%Y-%m-%d)" > "$file"
# shellcheck disable=SC2086
part "The machine" 10 $machine
# Which of them a bundle needs depends on the toolkit that made it; `--cuda` names their folder.
part "The libraries of CUDA on it" 20 sh -c \
    "find / -xdev -name 'lib*.so.*' 2> /dev/null | grep -E '/lib(cublas|cublasLt|curand|nvrtc|cuda)[.]so'; true"
if [ -x "$bundles/selftest/run" ]; then
    part "Whether the bundle fits the machine" 30 "$bundles/selftest/run" --check "$@"
    part "Every operation and gradient against the CPU" 120 "$bundles/selftest/run" "$@"
    # The comparison prints our table too.
    if "$python" -c 'import torch' 2> "$out/part"; then
        # shellcheck disable=SC2086
        part "Speed, beside the same networks in PyTorch" 120 \
            "$python" "$benches/gpu.py" $compared --ours "$bundles/selftest/run" "$@"
    else
        part "Speed; there is no PyTorch here to compare with" 60 \
            "$bundles/selftest/run" --throughput "$@"
    fi
fi
if [ -x "$bundles/report/run" ]; then
    part "The report's chapters" 240 "$bundles/report/run" --results "$out/results" "$@"
    part "The same again, which runs nothing" 20 "$bundles/report/run" --results "$out/results" "$@"
fi
rm -f "$out/part"
echo "$file: $failed parts failed"
[ "$failed" -eq 0 ]
