# short: device_folder=hd vendor_id=hv class_id=hc
# Paths of /sys have no blanks, names come from other files.
# shellcheck disable=SC2086,SC2154

# fragment: listPciVendors
# The vendor of each PCI device, a line each. Nearly every device of a host may be Intel's, so of those only displays (class
# 03) and accelerators (12) count; the others get an empty line.
for device_folder in /sys/bus/pci/devices/*; do
  vendor_id=
  { read -r vendor_id; } <$device_folder/vendor
  case $vendor_id in
    0x8086)
      class_id=
      { read -r class_id; } <$device_folder/class
      case $class_id in
        0x03*|0x12*) ;;
        *) vendor_id=;;
      esac
      ;;
  esac
  add_output "$vendor_id$new_line"
done 2>/dev/null
