/** `unread`: the fields that `--format all-smi-record` had to fill with a number, because all-smi demands one. */

type Fields = Readonly<Record<string, unknown>>;

/** The same sections; fields that `unread` names are null, and `unread` is gone, of devices and of lists in them. */
export function unreadAsNull(snapshot: Fields): Fields {
  return Object.fromEntries(
    Object.entries(snapshot).map(([key, value]) => [
      key,
      Array.isArray(value) ? value.map((device) => restored(device, 1)) : value,
    ]),
  );
}

function restored(value: unknown, levels: number): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries: [string, unknown][] = Object.entries(value);
  const hasParts = levels > 0 && entries.some(([, item]) => Array.isArray(item));
  const names: unknown = Reflect.get(value, "unread");
  if (!Array.isArray(names) && !hasParts) return value;
  const unread = new Set<unknown>(Array.isArray(names) ? names : []);
  return Object.fromEntries(
    entries
      .filter(([key, item]) => key !== "unread" || !Array.isArray(item))
      .map(([key, item]) => {
        if (unread.has(key)) return [key, null];
        return [
          key,
          Array.isArray(item) && levels > 0 ? item.map((part) => restored(part, levels - 1)) : item,
        ];
      }),
  );
}
