/** The scripts of sh/*.sh as they go over the wire. Made by build/embed-sh.ts; edit the .sh files. */
export const SH = {
  allAsleep:
    'hw() { i=$1;shift;hz=;for hx in "$@"; do for hd in /sys/bus/pci/drivers/$hx/*:*:*.*; do case $hd in *"/*:"*);;*)hu=;{ read -r hu; } <$hd/@STATUS_FILE@;case $hu in susp*) hz="$hz ${hd##*/}";;*) return 1;;esac;;esac;done;done 2>/dev/null;[ -n "$hz" ] || return 1;m p $i;w "$hz$n";y x $i 0;}',
  asleep: "hw @PART@ @DRIVERS@",
  unlessAsleep: "if @ASLEEP@; then :;else @PARTS@;fi",
  probeUnlessAsleep: "if @ASLEEP@; then F=$F-@GROUP@-;else @PROBE@;fi",
  setup: "set +efux;@LIMITS@;N=@NONCE@;T=@TIMEOUT_SECS@;@OUTPUT@;@PARTS@",
  bootstrap:
    "@ENVIRONMENT@;@SETUP@;@DETECT_LIMITER@;m v $L $U;@KEPT_FACTS@;@HOST_PARTS@;F=@FOUND_BEFORE@;B=;@FIND_PROGRAM@;@TOOL_STATE@;@ALL_ASLEEP@;@TOOLS@;@PCI_DEVICES@;m z 0;f;@LAST@",
  hostParts: 'case "${U%% *}" in @SYSTEM@) @PARTS@;;esac',
  toolParts: "case $F in *-all-*|*-@GROUP@-*);;*)if @FIND@; then m t @SHIM@ @FOUND_AS@;@PROBE@;fi;;esac",
  lastResort: "case $F. in .)if @FIND@; then m t @SHIM@ @FOUND_AS@;B=1;@PROBE@;fi;;esac",
  probe: "@FIRST@;if [ $s -eq 0 ]; then F=$F-@GROUP@-;@OTHERS@;else B=1;fi",
  pciPart: "case $F.$B in .?*|?*.);;*)m p @PCI_PART@;@LIST_PCI_DEVICES@;y x @PCI_PART@ 0;;esac",
  stay: "u;exec /bin/sh -s",
  leave: "exit 0",
  bareShell: "@ENVIRONMENT@;exec /bin/sh -s",
  environment:
    "unset V U g k hf kf kc kt kq kw;LC_ALL=C;PATH=${PATH:-/usr/bin:/bin}:@VENDOR_FOLDERS@;export LC_ALL PATH",
  findProgram:
    'hr=$PATH:;PATH=;while [ -n "$hr" ]; do hp=${hr%%:*};hr=${hr#*:};case $hp:$PATH:$hr in /bin:*:/usr/bin:*|/sbin:*:/usr/sbin:*)if [ $hp -ef /usr$hp ]; then continue;fi;;esac;case :$PATH: in *:"$hp":*);;*)if [ -d "${hp:-.}" ]; then PATH=$PATH${PATH:+:}$hp;fi;;esac;done;o() { hw=;hj=$IFS;IFS=:;for X in "$@"; do for hp in $PATH; do if [ -e "$hp/$X" ] || [ -h "$hp/$X" ]; then hw=$X;break 2;fi;done;done;IFS=$hj;[ -n "$hw" ] || return 1;for X in "$@"; do command -v $X >/dev/null 2>&1 && return 0;done;X=$hw;}',
  searchProgram: "o @NAMES@",
  givenProgram: "X=@PATH@",
  foundName: "$X",
  foundProgram: '"$X"',
  guard:
    'gs() { gi=;read -r gi <$1;gp=${gi%% *};set -- ${gi##*") "};ga=$2;ge=$4;gt=${20};};gn() { sleep $1 &gz=$! ;gs /proc/$gz/stat;wait $gz;};gd() { gn $((gr/100)).$((gr/10%10))$((gr%10)) || { gr=$(((gr+99)/100*100));gn $((gr/100));};};go() { grep -s -h -E "^[0-9]+ [(].*[)] . ($$ [0-9]+ [0-9]+|[0-9]+ [0-9]+ $$) " /proc/[0-9]*/stat |while read -r gi; do gp=${gi%% *};set -- ${gi##*") "};case $gp in $$|$gm);;*)if [ ${20} -ge $gb ]; then echo $gp;fi;;esac;done;};gf() { kill $gc $gx;gn 1;gy=;for gp in $(go); do gs /proc/$gp/stat;case $gx in *" $gp "*|*" $ga "*)if [ "$gp" = "$gc" ]; then gy="$gp $gy";else gy="$gy $gp";fi;;esac;done;kill -KILL $gy;};gg() { trap "kill \\$gz; exit" TERM;gs /proc/self/stat;gm=$gp;gb=$gt;gr=$((T*100));while gd; do gw=$((${gt:-0}+gr));gr=$((T*100));gh=;read -r gh </proc/$$/task/$$/children;case " $gh " in *" $gm "*);;*)gs /proc/$gm/stat;if [ "$ga" != $$ ]; then gx=" $(echo $(go)) ";gc=;gf;exit;fi;;esac;for gc in $gh; do if [ $gc != $gm ]; then gs /proc/$gc/stat;gv=$gr;if [ "${gt:-0}" -ge $gb ]; then gv=$((T*100+gt-gw));fi;if [ $gv -le 0 ]; then gx=" $(echo $(go)) ";case $gx in *" $gc "*)kill -USR1 $$;gf;gr=$((T*100-99));break;;esac;elif [ $gv -lt $gr ]; then gr=$gv;fi;fi;done;done;};gu() { :;};gs /proc/self/stat;if [ "$gp $ge" = "$$ $$" ] && [ -r /proc/$$/task/$$/children ]; then b() { u;command "$@";c=$?;c=${k:-$c};k=;a;return $c;};x() { u;exec "$@";};gu() { kill -0 $g 2>/dev/null || { gg </dev/null >/dev/null 2>&1 &g=$! ;};};trap "k=124" USR1;trap exit PIPE;trap "kill \\$g 2>/dev/null" 0;fi',
  hold: "@ENVIRONMENT@;exec 3<&0;@PROGRAM@ </dev/null 3<&- &p=$! ;{ read -r il;kill -9 $p;} <&3 >/dev/null 2>&1 &w=$! ;exec 3<&-;wait $p;c=$?;kill $w 2>/dev/null;exit $c",
  keptFacts:
    'hb=;kn=;{ read -r hb <@BOOT_ID_FILE@;read -r kn </proc/sys/kernel/hostname;} 2>/dev/null;m k "$hb" "$kn";case "$hb $kn" in @KEPT@) @KEPT_VALUES@;;esac',
  toolState:
    'ks() { kk=;{ read -r kk;} <$1;case "$kk" in "") return;;esac;kp=$X;case "$kp" in */*);;*)hj=$IFS;IFS=:;for hp in $PATH; do if [ -x "$hp/$X" ]; then kp=$hp/$X;break;fi;done;IFS=$hj;;esac;kk="$kk $kp";if [ "$kp" -nt /etc/ld.so.cache ]; then kk="$kk new";fi;kk="$kk $LD_LIBRARY_PATH";} 2>/dev/null',
  limits:
    "V=${V-$(ulimit -S -v 2>/dev/null)};a() { ulimit -S -v @SHELL_KIB@ 2>/dev/null;};a;u() { ulimit -S -v ${V:-unlimited} 2>/dev/null;}",
  limiterGnu: 'b() { u;timeout -k 1 $T "$@";c=$?;a;return $c;};x() { u;exec timeout -k 1 $T "$@";}',
  limiterBusybox: 'b() { u;timeout -t $T "$@";c=$?;a;return $c;};x() { u;exec timeout -t $T "$@";}',
  limiterWatchdog:
    'b() { (u; exec "$@") &p=$! ;{ trap "kill \\$sp; exit 0" TERM;sleep $T &sp=$! ;wait $sp;kill $p;sleep 1;kill -9 $p;} >/dev/null 2>&1 &w=$! ;wait $p;c=$?;kill $w 2>/dev/null;wait $w 2>/dev/null;return $c;};x() { b "$@";}',
  detectLimiter:
    'ht() { hr=$PATH;PATH=/dev/null;command -v timeout >/dev/null 2>&1;c=$?;PATH=$hr;[ $c -ne 0 ] || return 1;hj=$IFS;IFS=:;for hp in $PATH; do if [ -x "$hp/timeout" ]; then break;fi;done;IFS=$hj;[ -x "$hp/numfmt" ] && [ -f "$hp/timeout" ] || return 1;if [ -h "$hp/timeout" ] || [ "$hp/timeout" -ef "$hp/numfmt" ]; then return 1;fi;};U=;hm=;{ read -r U </proc/sys/kernel/ostype;read -r hm </proc/sys/kernel/arch;} 2>/dev/null;U=${U:+$U${hm:+ $hm}};if [ -n "$U" ] && ht || U=$(timeout -k 1 $T uname -s -m 2>/dev/null); then L=gnu;@GNU@;elif U=$(timeout -t $T uname -s -m 2>/dev/null); then L=busybox;@BUSYBOX@;else L=watchdog;U=$(uname -s -m 2>/dev/null);@WATCHDOG@;fi',
  output:
    'n=${IFS#??};n=${n%${n#?}};W=;w() { W="$W$1";};f() { printf %s "$W";W=;};m() { w "$n@$N $*$n";};y() { m $1 $2 ${k:-$3};k=;};M=;if [ -n "$BASH_VERSION" ] && command -v mapfile >/dev/null; then M=1;eval "l() { local IFS=; mapfile -n \\$1 ha <\\$2; w \\"\\${ha[*]}\\"; unset ha; }";else l() { hi=$1;while [ $hi -gt 0 ] && read -r hl; do w "$hl$n";case "$hl" in "$3"*) break;;esac;hi=$((hi-1));done <$2;};fi',
  parts:
    'r() { i=$1;shift;m p $i;f;{ e=$(x "$@" 2>&1 >&3 3>&- </dev/null);c=$?;} 3>&1;if [ -n "$e" ]; then m e $i;f;printf "%.@STDERR_BYTES@s" "$e";fi;y x $i $c;};q() { i=$1;shift;m q $i;f;{ o=$(x "$@" 2>&3 3>&- </dev/null);c=$?;} 3>&1;y o $i $c;w "$o";}',
  programPart: "r @PART@ @COMMAND@",
  bufferedProgramPart: "q @PART@ @COMMAND@",
  shellPart: "m p @PART@;f;{ @COMMAND@;} </dev/null",
  bufferedShellPart: "m p @PART@;{ @COMMAND@;} </dev/null",
  shellPartEnd: "y x @PART@ $?",
  programProbeEnd: "s=$c",
  shellProbeEnd: "s=$?;m x @PART@ $s",
  listPciDevices:
    'for hd in /sys/bus/pci/devices/*; do hc=;hv=;hk=;{ read -r hc; } <$hd/class;{ read -r hv; } <$hd/vendor;case $hc$hv in 0x03*0x*|0x12*0x*|0x0b40*0x*|0x*0x1ae0|0x*0x1d0f){ read -r hk; } <$hd/device;w "$hc $hv $hk ${hd##*/}";;0x*0x*);;*) w -;;esac;w "$n";done 2>/dev/null;for hd in /sys/devices/soc?/family; do { read -r hv; } <$hd && w "soc $hv$n";done 2>/dev/null',
  tickFunction: "t() { @PARTS@;@TOOLS@;m z $1;f;}",
  guardedTickFunction: "t() { gu;@PARTS@;@TOOLS@;m z $1;f;}",
  tickLine: "t @TICK@",
  tickScript: "@ENVIRONMENT@;@SETUP@;@LIMITER@;@ALL_ASLEEP@;@PARTS@;@TOOLS@;m z @TICK@;f;exit 0",
} as const;
