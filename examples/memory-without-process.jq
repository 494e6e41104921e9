# GPU memory that is in use and belongs to no process that runs: of processes that have ended and were never cleaned up, of
# another container, of graphics (which nvidia-smi lists apart), or the driver's own.
#   allsmi-ssh --ssh-hostfile hosts.txt --once --include gpu,process | MIN_GIB=1 jq -rf examples/memory-without-process.jq
# Less than MIN_GIB is not printed; 1 without it. Ascend and Instinct drivers keep some 4 GiB for themselves.
# A process that ends while the tool is asked looks the same: look twice before a GPU is reset.

def gib: "\(. / 1073741824 * 10 | round / 10) GiB";
def on($gpu):
  if .tool != null and .tool != $gpu.tool then false
  elif .device_ids != null then any(.device_ids[]; . == $gpu.index)
  elif .device_id != null then .device_id == $gpu.index
  else .device_uuid != null and .device_uuid == $gpu.uuid end;

(env.MIN_GIB // "1" | tonumber * 1073741824) as $min
| select(.record == "frame") as $host
# ps has a state for every process that runs. Where it has none for any, it is not known who runs.
| ([$host.processes[]? | select(.state != null)] | length > 0) as $has_ps
| .gpus[]? as $gpu
| "\($host.hostname) GPU \($gpu.index // $gpu.uuid)" as $name
| (select(($gpu.memory_unaccounted // 0) >= $min)
    | "\($name): no listed process has \($gpu.memory_unaccounted | gib) of the \($gpu.used_memory | gib) in use"),
  (select($has_ps) | $host.processes[]
    | select(.uses_gpu and .state == null and (.used_memory // 0) >= $min and on($gpu))
    | "\($name): pid \(.pid) (\(.process_name // "unknown program")) has \(.used_memory | gib), and the host has no such process")
