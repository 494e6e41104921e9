# Whether the GPUs of a vendor sleep: runtime power management has suspended them (D3), and any use would wake them. Only
# what the kernel keeps in memory is read, which wakes nothing, by the shell's own `read`.
# short: all_asleep=hw driver_name=hx power_state=hu sleeping_devices=hz
# Driver names are constants, paths of /sys have no blanks, and names come from other files.
# shellcheck disable=SC2086,SC2154,SC2231

# fragment: allAsleep
# all_asleep PART DRIVER... succeeds where these drivers have devices and all of them sleep, and lists their addresses as
# this part. The first one that is awake ends the search.
all_asleep() {
  part_id=$1
  shift
  sleeping_devices=
  for driver_name in "$@"; do
    for device_folder in /sys/bus/pci/drivers/$driver_name/*:*:*.*; do
      case $device_folder in
        *"/*:"*) ;;
        *)
          power_state=
          { read -r power_state; } <$device_folder/@STATUS_FILE@
          case $power_state in
            susp*) sleeping_devices="$sleeping_devices ${device_folder##*/}";;
            *) return 1;;
          esac
          ;;
      esac
    done
  done 2>/dev/null
  [ -n "$sleeping_devices" ] || return 1
  add_marker p $part_id
  add_output "$sleeping_devices$new_line"
  mark_end x $part_id 0
}

# fragment: asleep
all_asleep @PART@ @DRIVERS@

# fragment: unlessAsleep
if @ASLEEP@; then
  :
else
  @PARTS@
fi

# fragment: probeUnlessAsleep
if @ASLEEP@; then
  found_groups=$found_groups-@GROUP@-
else
  @PROBE@
fi
