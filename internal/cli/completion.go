package cli

import (
	_ "embed"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/internal/cli/app"
)

// The scripts ask zen itself, with --generate-bash-completion, what may follow.
var (
	//go:embed completion/zen.bash
	bashCompletion string
	//go:embed completion/zen.zsh
	zshCompletion string
	//go:embed completion/zen.fish
	fishCompletion string
	//go:embed completion/zen.ps1
	powershellCompletion string
)

func completionCommand() *cli.Command {
	scripts := map[string]string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion, "powershell": powershellCompletion}
	return &cli.Command{
		Name:      "completion",
		Usage:     "print the completion script of a shell",
		ArgsUsage: "bash|zsh|fish|powershell",
		Description: `   bash: source <(zen completion bash)          in ~/.bashrc
   zsh:  source <(zen completion zsh)           in ~/.zshrc
   fish: zen completion fish | source           in ~/.config/fish/config.fish
   PowerShell: zen completion powershell | Out-String | Invoke-Expression   in $PROFILE`,
		BashComplete: func(c *cli.Context) {
			fmt.Fprintln(c.App.Writer, "bash\nzsh\nfish\npowershell")
		},
		Action: func(c *cli.Context) error {
			script, ok := scripts[c.Args().First()]
			if !ok || c.NArg() > 1 {
				return app.Usage(c, "name one shell: bash, zsh, fish or powershell")
			}
			_, err := fmt.Fprint(c.App.Writer, script)
			return err
		},
	}
}
