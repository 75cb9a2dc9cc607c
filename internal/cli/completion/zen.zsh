#compdef zen
_zen() {
    local -a replies
    local cur="${words[CURRENT]}"
    local -a asked=("${(@)words[1,CURRENT-1]}")
    [[ "$cur" == -* ]] && asked+=("$cur")
    replies=("${(@f)$("${asked[@]}" --generate-bash-completion 2>/dev/null)}")
    compadd -- $replies || _files
}
compdef _zen zen
