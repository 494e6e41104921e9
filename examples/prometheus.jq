# NDJSON of `allsmi-ssh --once` to Prometheus text, for the node exporter's textfile collector:
#   allsmi-ssh --ssh-hostfile hosts.txt --once | jq -rnf examples/prometheus.jq > gpus.prom.tmp && mv gpus.prom.tmp gpus.prom
# A reading that is missing (null) gives no sample; allsmi_up has which hosts answered, and why others did not.

def escaped: tostring | gsub("\\\\"; "\\\\") | gsub("\""; "\\\"") | gsub("\n"; "\\n");
def labels: to_entries | map("\(.key)=\"\(.value | escaped)\"") | join(",") | "{\(.)}";

[inputs | select(.tick != null)] as $records
| def family($name; $help; samples):
    "# HELP \($name) \($help)", "# TYPE \($name) gauge",
    ($records[] | samples | select(.value != null) | "\($name)\(.labels | labels) \(.value)");
  def gpu($name; $help; value):
    family($name; $help; . as $host | .gpus[]?
      | {labels: {host: $host.hostname, gpu: (.index // "" | tostring), uuid: (.uuid // ""), name: (.name // "")}, value: value});
  family("allsmi_up"; "1 when the host answered with a frame"; {
    labels: {host: .hostname, state, transport: (.transport // ""), error: (.last_error.code? // "")},
    value: (if .record == "frame" then 1 else 0 end)}),
  gpu("allsmi_gpu_utilization_percent"; "GPU utilization"; .utilization),
  gpu("allsmi_gpu_memory_used_bytes"; "Accelerator memory in use"; .used_memory),
  gpu("allsmi_gpu_memory_total_bytes"; "Accelerator memory in all"; .total_memory),
  gpu("allsmi_gpu_temperature_celsius"; "GPU temperature"; .temperature),
  gpu("allsmi_gpu_power_watts"; "Power draw"; .power_consumption),
  gpu("allsmi_gpu_ecc_uncorrected_total"; "Uncorrected ECC errors since the card was made"; .ecc_uncorrected_total),
  gpu("allsmi_gpu_failed"; "1 when the device is lost or failed"; if .error then 1 else 0 end),
  family("allsmi_cpu_utilization_percent"; "CPU utilization between ticks"; . as $host | .cpus[]?
    | {labels: {host: $host.hostname}, value: .utilization}),
  family("allsmi_memory_used_bytes"; "Host memory in use"; . as $host | .memory[]?
    | {labels: {host: $host.hostname}, value: .used_bytes}),
  family("allsmi_memory_total_bytes"; "Host memory in all"; . as $host | .memory[]?
    | {labels: {host: $host.hostname}, value: .total_bytes})
