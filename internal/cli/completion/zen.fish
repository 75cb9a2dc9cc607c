function __zen_complete
    set -l asked (commandline -opc)
    set -l cur (commandline -ct)
    string match -q -- '-*' $cur; and set -a asked $cur
    $asked --generate-bash-completion 2>/dev/null
end
complete -c zen -a '(__zen_complete)'
