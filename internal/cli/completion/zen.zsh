#compdef zen
_zen() {
    local -a replies
    local cur="${words[CURRENT]}"
    local -a asked=("${(@)words[1,CURRENT-1]}")
    [[ "$cur" == -* ]] && asked+=("$cur")
    replies=("${(@f)$("${asked[@]}" --generate-bash-completion 2>/dev/null)}")
    compadd -- $replies || _files
}
if [[ "${funcstack[1]}" == _zen ]]; then
    _zen "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }
    compdef _zen zen
fi
