#!/bin/sh
# A health check for cron or CI: prints what is wrong, one line each, and exits 1 if anything is.
#   examples/gpu-health.sh --ssh-hostfile hosts.txt
# Give it the flags that choose hosts; it adds its own.
records=$(allsmi-ssh "$@" --once --format ndjson --quiet)
# 3, 4: hosts that failed have their line below. Anything else but 0 is a check that did not run.
case $? in 0 | 3 | 4) ;; *) exit 2 ;; esac
printf '%s\n' "$records" | jq -r '
  .hostname as $host
  | if .record == "state" then "\($host): \(.last_error.code // .state): \(.last_error.message // "")"
    else
      (.errors[]? | "\($host): \(.section): \(.message)"),
      (.gpus[]? | . as $gpu
        | (if .error then "\($host) GPU \($gpu.index // "?"): \(.error)" else empty end),
          (if (.temperature // 0) > 85 then "\($host) GPU \($gpu.index): \(.temperature) C" else empty end),
          (if (.ecc_uncorrected_total // 0) > 0 then "\($host) GPU \($gpu.index): \(.ecc_uncorrected_total) uncorrected ECC errors" else empty end),
          (if .remapped_rows_failure == true then "\($host) GPU \($gpu.index): row remapping failed" else empty end))
    end' | { ! grep .; }
