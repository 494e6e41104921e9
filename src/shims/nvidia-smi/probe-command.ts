/** The shell text of the probe's query: it asks for the fields that the driver knows, by one start of nvidia-smi if possible. */
import { fieldsOfDriver, KNOWN_DRIVERS } from "./driver-fields.js";
import { MORE_FIELDS, TEN_FIELDS } from "./fields.js";

/** Prefixes of two lines that the probe script prints: the fields that it asked for, and the exit status of the query. */
export const FIELDS_MARK = "@fields ";
export const EXIT_MARK = "@exit ";
/** And of one more: the fields are those of an earlier run, or else the state of the tool that they are of. */
export const KEPT_MARK = "@kept ";
export const STATE_MARK = "@state ";

/** The version of the kernel's driver: the tool and its library work only with the driver of the same version. */
const DRIVER_VERSION = "/sys/module/nvidia/version";

/** Beginnings that several fields share, as variables of the probe's script, which goes over the wire to each host. */
const SHARED: readonly (readonly [variable: string, beginning: string])[] = [
  ["H", "remapped_rows.histogram"],
  ["R", "remapped_rows"],
  ["E", "ecc.errors.corrected"],
  ["U", "ecc.errors.uncorrected"],
  ["C", "clocks_event_reasons_counters"],
  ["L", "pcie.link"],
];

const asFieldsOf = (fields: readonly string[]): string => fields.map(withVariables).join(",");

function withVariables(field: string): string {
  const shared = SHARED.find(([, beginning]) => field.startsWith(`${beginning}.`));
  return shared === undefined ? field : `$${shared[0]}${field.slice(shared[1].length)}`;
}

/** Fields that not every driver has, or that only some list under this name; the lists between them are asked for as they are. */
const DRIVER_VERSION_FIELD = "driver_version";
const KMD_VERSION = "kmd_version";
const OLD_REASONS = "clocks_throttle_reasons.active";
const NEW_REASONS = "clocks_event_reasons.active";

/**
 * The fields of ours, as lists between the fields that depend on the driver: `$qa` and `$qb`, and `$qc` and `$qd`; `$qt` are
 * the ten.
 */
const [BEFORE_VERSION, AFTER_VERSION] = around(TEN_FIELDS, DRIVER_VERSION_FIELD);
const [, AFTER_KMD] = around(MORE_FIELDS, KMD_VERSION);
const [BEFORE_REASONS, AFTER_REASONS] = around(AFTER_KMD, OLD_REASONS);
const LISTS = [
  ...SHARED.map(([variable, beginning]) => `${variable}=${beginning}`),
  `qa=${asFieldsOf(BEFORE_VERSION)}`,
  `qb=${asFieldsOf(AFTER_VERSION)}`,
  `qt=$qa,${DRIVER_VERSION_FIELD},$qb`,
  `qc=${asFieldsOf(BEFORE_REASONS)}`,
  `qd=${asFieldsOf(AFTER_REASONS)}`,
].join("; ");
const TEN = "$qt";
const NINE = "$qa,$qb";

function around(fields: readonly string[], field: string): readonly [readonly string[], readonly string[]] {
  const at = fields.indexOf(field);
  if (at < 0) throw new Error(`nvidia-smi: no field ${field}`);
  return [fields.slice(0, at), fields.slice(at + 1)];
}

/**
 * Chooses the fields by the tool's help, of which the lines with names are kept: to look for 60 names in all of its 32 KB
 * takes a shell four times as long. What a help that failed has chosen is not kept for a later run.
 */
const CHOOSE_BY_HELP = [
  `h=$(x {tool} --help-query-gpu 2>/dev/null) || kk=; q=${TEN}; s=; hj=$IFS; IFS=$n; set -f`,
  `for f in $h; do case $f in *\\"*) s=$s$f;; esac; done; set +f; IFS=,; h=$s; s=`,
  `case $h in *\\"${NEW_REASONS}\\"*) s=${OLD_REASONS};; esac`,
  `case $h in *\\"uuid\\"*) case $h in *\\"${KMD_VERSION}\\"*) q=${NINE};; *\\"${DRIVER_VERSION_FIELD}\\"*) ;; *) q=${NINE};; esac; ` +
    `for f in ${KMD_VERSION} $qc ${OLD_REASONS} $qd; do ` +
    `case $h in *\\"$f\\"*) case $f in "$s") ;; *) q=$q,$f;; esac;; esac; done;; *) kk=;; esac; IFS=$hj`,
].join("; ");

/** Lists of fields, and the shell's variables that hold them, so that a version's clause is short. */
const HELD: readonly (readonly [list: readonly string[], variable: string])[] = [
  [BEFORE_REASONS, "$qc"],
  [AFTER_REASONS, "$qd"],
  [TEN_FIELDS, TEN],
  [[...BEFORE_VERSION, ...AFTER_VERSION], NINE],
];

/** Clauses of a `case` of the tool's state, which begins with the driver's version. */
const BY_VERSION = KNOWN_DRIVERS.map(({ branches }) => {
  const [branch = ""] = branches;
  const fields = (fieldsOfDriver(`${branch}.0`) ?? []).join(",");
  const text = HELD.reduce((left, [list, variable]) => left.replace(list.join(","), () => variable), fields);
  return `${branches.map((each) => `${each}.*`).join("|")}) kw=2; q=${text};;`;
}).join(" ");

/**
 * Asks for the fields that the driver knows, in one round trip. Where the tool's state is `$kt`, that of an earlier run, they
 * are its fields `$kq` (`$kw` is 1); else those of the driver's version (2); else those that help lists, which the shell's
 * own `case` chooses. Where kept fields fail, or a driver refuses fields of its version, help chooses after all.
 *
 * If the driver still refuses a field, the rest is asked for again without it, at most eight times; if the refused field is
 * none of ours, the ten are asked for. The exit status is 0 when at least one GPU with a uuid or a bus id answered, whatever
 * the tool's status was (it is not 0 as soon as one GPU is lost). Otherwise it is the tool's own, or 6 (no devices) for
 * an empty answer.
 */
export const PROBE_COMMAND = [
  `f; kk=; kw=; ks ${DRIVER_VERSION}; ${LISTS}; kl() { ${CHOOSE_BY_HELP}; }`,
  `case "$kk" in "") kl;; "$kt") kw=1; q=$kq;; ${BY_VERSION} *) kl;; esac`,
  `ni=; while o=$(x {tool} --query-gpu=$q --format=csv,nounits 2>&1); r=$?; ` +
    // Status 1 and 2 are of arguments that were refused; a wrapper may refuse them by any other, 0 too. Not where the tool was
    // ended, which would hang again, or where the status is NVML's (6, 8 to 18): help would not change it.
    `case $kw.$r.$o in 1.[1-9].*|1.[1-9][0-9].*|2.[12].*) ;; ` +
    `.*|1.*|2.[689].*|2.1[0-8].*|2.12[4-9].*|2.1[3-5]?.*|*GPU-*|*", "????????:??:??.*) ` +
    `case $ni$o in ........*) false;; *"not a valid field"*) ;; *) false;; esac;; esac; do ` +
    `case $kw in ?) kw=; kl; continue;; esac; f=\${o#*ield?\\"}; f=\${f%%\\"*}; case ,$q, in *,"$f",*) ` +
    `q=,$q,; q=\${q%%,"$f",*},\${q#*,"$f",}; q=\${q#,}; q=\${q%,};; ` +
    `,${TEN},) break;; *) q=${TEN};; esac; ni=.$ni; done`,
  `w "${FIELDS_MARK}$q$n$o$n${EXIT_MARK}$r$n"; case $kw.$kk in 1.*) w "${KEPT_MARK}1$n";; *.?*) w "${STATE_MARK}$kk$n";; esac`,
  // The row of a GPU whose uuid could not be read still has its bus id.
  `case $o in *GPU-*|*", "????????:??:??.*) ;; *) case $r in 0) ( exit 6 );; *) ( exit $r );; esac;; esac`,
].join("; ");

/**
 * Runs a command only where the probe's query, whose answer is still in $o, reported a GPU in MIG mode: `Enabled` and
 * then the bus id, the only cell with a colon after eight digits.
 */
export function whereMigIsEnabled(command: string): string {
  return `case $o in *"Enabled, "????????:??:*) f; b ${command};; esac`;
}
