# The environment of every script. What is read before it is set must not come from the watched host.
# short: host_facts=hf

# fragment: environment
unset memory_limit system_name guard_pid guard_status host_facts kept_host_state kept_clocks kept_tool_state kept_fields is_kept
LC_ALL=C
# Non-interactive shells often have no PATH to vendor tools. An empty PATH would put the current folder first.
PATH=${PATH:-/usr/bin:/bin}:@VENDOR_FOLDERS@
export LC_ALL PATH
