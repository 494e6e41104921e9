# short: device_folder=hd vendor_id=hv class_id=hc device_id=hk
# Paths of /sys have no blanks, names come from other files.
# shellcheck disable=SC2086,SC2154

# fragment: listPciDevices
# A line each PCI device: class, vendor, device and address of displays (class 03), accelerators (12, co-processors 0b40) and
# what Google (1ae0, TPUs) and Amazon (1d0f, Neuron) have in classes of their own; an empty line for another device, and - for
# one that cannot be read. Then the families of the system on chip: the GPU of a Tegra is on no bus.
for device_folder in /sys/bus/pci/devices/*; do
  class_id=
  vendor_id=
  device_id=
  { read -r class_id; } <$device_folder/class
  { read -r vendor_id; } <$device_folder/vendor
  case $class_id$vendor_id in
    0x03*0x*|0x12*0x*|0x0b40*0x*|0x*0x1ae0|0x*0x1d0f)
      { read -r device_id; } <$device_folder/device
      add_output "$class_id $vendor_id $device_id ${device_folder##*/}"
      ;;
    0x*0x*) ;;
    *) add_output -;;
  esac
  add_output "$new_line"
done 2>/dev/null
for device_folder in /sys/devices/soc?/family; do
  { read -r vendor_id; } <$device_folder && add_output "soc $vendor_id$new_line"
done 2>/dev/null
