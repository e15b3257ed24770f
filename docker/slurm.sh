#!/bin/bash
# One sweep on SLURM: a Ray cluster on the nodes of this job, then prunesweep on it.
#
#   sbatch --nodes=4 --gpus-per-node=4 --cpus-per-task=32 --time=24:00:00 docker/slurm.sh sweep.yaml
#
# prunesweep is on the PATH of all nodes (activate your environment before), and the folder from which
# this is submitted is on a file system that they share. The first node's head runs no trials. Options
# after the sweep go to `prunesweep run`. The same command resumes what a time limit has ended.
#SBATCH --job-name=prunesweep
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --signal=B:TERM@90
#SBATCH --open-mode=append
set -euo pipefail

sweep=${1:?usage: sbatch slurm.sh SWEEP.YAML [options of prunesweep run]}
# Not the job's own folder, which SLURM copies this script to.
cd "${SLURM_SUBMIT_DIR:-.}"
[ -f "$sweep" ] || { echo "no such sweep: $sweep" >&2; exit 2; }
export PRUNESWEEP_STORE=${PRUNESWEEP_STORE:-$PWD/store}

steps=() code=1
# shellcheck disable=SC2329  # by trap
finish() {
    trap - EXIT TERM INT
    [ -z "${driver:-}" ] || { kill -TERM "$driver" 2>/dev/null && wait "$driver"; } || true
    # The head last: the others ask it for leave.
    for step in "${steps[*]:1}" "${steps[*]:0:1}"; do
        # shellcheck disable=SC2086
        [ -z "$step" ] || { kill -TERM $step 2>/dev/null; wait $step; } || true
    done
    [ -z "${secrets:-}" ] || rm -rf "$secrets"
    # Of a job that failed, Ray's logs stay.
    [ "$code" != 0 ] || srun --overlap --ntasks-per-node=1 rm -rf "$RAY_TMPDIR" || true
}
trap finish EXIT
trap 'exit 143' TERM INT

# Ray's nodes, the driver and nobody else on these machines have the token.
secrets=$(umask 077 && mktemp -d "$HOME/.prunesweep-XXXXXX")
(umask 077 && od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$secrets/token")
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=$secrets/token
# Apart from the Ray of others: /tmp/ray belongs to whoever came first.
export RAY_TMPDIR=/tmp/ray-$SLURM_JOB_ID

mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${nodes[0]}
address=$(srun --nodes=1 --ntasks=1 --nodelist="$head" hostname --ip-address)
address=${address%% *}
# Two jobs may share a node where --exclusive is not honoured.
port=$((20000 + SLURM_JOB_ID % 10000))

start() { # NODE OPTION...: one node of the cluster, for as long as its step lives
    srun --overlap --nodes=1 --ntasks=1 --nodelist="$1" \
        ray start --disable-usage-stats --object-store-memory="${RAY_OBJECT_STORE:-1000000000}" \
        --dashboard-agent-listen-port=0 --block "${@:2}" &
    steps+=($!)
}

start "$head" --head --node-ip-address="$address" --port="$port" --num-cpus=0 --num-gpus=0 \
    --include-dashboard=false
answers=
for _ in {1..120}; do
    ray health-check --address "$address:$port" 2>/dev/null && answers=yes && break
    kill -0 "${steps[0]}" 2>/dev/null || { echo "Ray's head did not start" >&2; exit 1; }
    sleep 1
done
[ "$answers" ] || { echo "Ray's head on $head did not answer at $address:$port in 120 tries" >&2; exit 1; }
for node in "${nodes[@]}"; do
    start "$node" --address="$address:$port" \
        --num-cpus="${SLURM_CPUS_PER_TASK:-$(nproc)}" --num-gpus="${SLURM_GPUS_ON_NODE:-0}"
done

# In the background, so that a signal is handled at once; the driver ends as after Ctrl-C.
RAY_ADDRESS=$address:$port prunesweep run "$@" &
driver=$!
wait "$driver" && code=0 || code=$?
driver=
exit "$code"
