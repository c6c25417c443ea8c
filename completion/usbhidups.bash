# Made by tools/generate.py from the parsers; do not edit.

_usbhidups_sections() {
    sed -n 's/^[[:space:]]*\[\([^]]*\)\].*/\1/p' "${NUT_CONFPATH:-/etc/nut}"/ups.conf 2>/dev/null
}

_usbhidups() {
    local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD - 1]}
    local words='' files=''
    COMPREPLY=()
    case ${COMP_CWORD}:${COMP_WORDS[1]} in
    1:-*) words='-a -s -x -i -F -B -D -d -q -k -c -P -u -g -r -L -V -h --help --version' ;;
    1:*) words='run probe record status list-supported killpower doctor simulate appliance notify web --help --version' ;;
    *:run)
        case $last in
        -u | --user) : ;;
        -g | --group) : ;;
        *) case $word in -*) words='-h --help -D --debug -B --background -u --user -g --group' ;; *) words=$(_usbhidups_sections) ;; esac ;;
        esac ;;
    *:probe)
        case $last in
        --port) : ;;
        -x) : ;;
        --profiles) files=directory ;;
        --replay) files=file ;;
        --decode) files=file ;;
        *) case $word in -*) words='-h --help --port -x --profiles --replay --decode --all --json -w --watch -v --verbose' ;; *) words=$(_usbhidups_sections) ;; esac ;;
        esac ;;
    *:record)
        case $last in
        --port) : ;;
        -x) : ;;
        --profiles) files=directory ;;
        --minutes) : ;;
        --notes) : ;;
        *) case $word in -*) words='-h --help --port -x --profiles --minutes --notes' ;; *) files=file ;; esac ;;
        esac ;;
    *:status)
        case $last in
        --format) : ;;
        --interval) : ;;
        *) case $word in -*) words='-h --help --json --format -q --quiet -w --watch --interval' ;; *) words=$(_usbhidups_sections) ;; esac ;;
        esac ;;
    *:list-supported)
        case $last in
        --profiles) files=directory ;;
        *) case $word in -*) words='-h --help --json --profiles' ;; *) : ;; esac ;;
        esac ;;
    *:killpower)
        case $last in
        *) case $word in -*) words='-h --help --dry-run --if-flag' ;; *) words=$(_usbhidups_sections) ;; esac ;;
        esac ;;
    *:doctor)
        case $last in
        *) case $word in -*) words='-h --help --json -q --quiet' ;; *) : ;; esac ;;
        esac ;;
    *:simulate)
        case $last in
        --scenario) words='outage brownout battery-dies near-miss flicker flaky-usb bounce self-test calibration glitches overload old-battery' ;;
        --listen) : ;;
        --control) files=file ;;
        --tell) : ;;
        --speed) : ;;
        --delay-ms) : ;;
        --seed) : ;;
        *) case $word in -*) words='-h --help --scenario --listen --control --tell --speed --delay-ms --seed -q --quiet' ;; *) files=file ;; esac ;;
        esac ;;
    *:appliance)
        case $last in
        --layout) words='astlinux debian' ;;
        --stage) words='all command wait' ;;
        --late) : ;;
        *) case $word in -*) words='-h --help --layout --generate --json --stage --late' ;; *) words='check generate start restart stop status killpower' ;; esac ;;
        esac ;;
    *:notify)
        case $last in
        --active) files=file ;;
        *) case $word in -*) words='-h --help --active' ;; *) : ;; esac ;;
        esac ;;
    *:web)
        case $last in
        --listen) : ;;
        --host-name) : ;;
        --upsd) : ;;
        --event-log) files=file ;;
        --interval) : ;;
        *) case $word in -*) words='-h --help --listen --host-name --upsd --event-log --interval --fragment --json --prometheus' ;; *) : ;; esac ;;
        esac ;;
    *:-*)
        case $last in
        -a) words=$(_usbhidups_sections) ;;
        -s) : ;;
        -x) : ;;
        -i) : ;;
        -d) : ;;
        -c) words='reload-or-error exit reload reload-or-exit' ;;
        -P) : ;;
        -u) : ;;
        -g) : ;;
        -r) files=directory ;;
        *) case $word in -*) words='-a -s -x -i -F -B -D -d -q -k -c -P -u -g -r -L -V -h' ;; *) : ;; esac ;;
        esac ;;
    esac
    [ -z "$words" ] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    case $files in
    file) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    directory) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
    esac
    [ -z "$files" ] || compopt -o filenames 2>/dev/null
}

complete -F _usbhidups usbhidups usbhid-ups
