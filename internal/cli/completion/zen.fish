function __zen_complete
    set -l asked (commandline -opc)
    set -l cur (commandline -ct)
    string match -q -- '-*' $cur; and set -a asked $cur
    set -g __zen_replies ($asked --generate-bash-completion 2>/dev/null)
    test (count $__zen_replies) -gt 0
end
complete -c zen -n __zen_complete -f -a '$__zen_replies'
