Register-ArgumentCompleter -Native -CommandName zen -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements |
        Where-Object { $_.Extent.StartOffset -lt $cursorPosition } |
        ForEach-Object { $_.Extent.Text.Trim([char[]]"'`"") })
    $asked = @($words | Select-Object -Skip 1)
    if ($wordToComplete -ne '') { $asked = @($asked | Select-Object -SkipLast 1) }
    if ($wordToComplete.StartsWith('-')) { $asked += $wordToComplete }
    & $words[0] @asked --generate-bash-completion 2>$null |
        Where-Object { $_.StartsWith($wordToComplete, [StringComparison]::Ordinal) } |
        ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
}
