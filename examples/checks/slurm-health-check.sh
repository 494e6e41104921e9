#!/bin/sh
# Slurm: drains a node whose GPUs or driver are critical. In slurm.conf, on every node:
#
#     HealthCheckProgram=/usr/local/sbin/slurm-health-check.sh
#     HealthCheckInterval=300
#     HealthCheckNodeState=ANY
#
# Slurm ends the program after 60 s. Or run it on the controller for many nodes:
#
#     slurm-health-check.sh dgx-01 dgx-02 -- --ssh-key /etc/slurm/watch_key
#
# What follows -- is passed to allsmi-ssh. A node is drained with the reason; it is never resumed: an operator does that.
# A warning, or a check that could not be made, drains nothing.
set -u
nodes=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    nodes="$nodes $1"
    shift
done
[ $# -gt 0 ] && shift
status=0
for node in ${nodes:-$(hostname -s)}; do
    report=$(allsmi-ssh --check --ssh "$node" --timeout 45 "$@" 2>/dev/null)
    code=$?
    reason=${report%%|*}
    case $code in
        0) continue ;;
        2) scontrol update NodeName="$node" State=DRAIN Reason="allsmi: ${reason#ALLSMI }" || status=1 ;;
        *) echo "$node: $reason" >&2 ;;
    esac
done
exit $status
