package main

import (
	"embed"
	"fmt"
	"strings"

	"github.com/zen-auth/zen/core/provider"
)

// The bridge pages that people copy into their apps. clibridge is also compiled here as a
// package.
//
//go:embed bridge/clibridge/clibridge.go bridge/web bridge/next bridge/worker
var bridgeFiles embed.FS

// bridgePage is a bridge page in one framework.
type bridgePage struct {
	name, doc string
	// files are pairs of a file's destination and its name in bridgeFiles.
	files []string
	steps []provider.SetupStep
}

var bridges = []bridgePage{
	{
		name: "bridge-next", doc: "a bridge page for a Next.js app with @clerk/nextjs",
		files: []string{"app/cli/route.js", "next/route.js", "app/cli/bridge.js", "web/bridge.js"},
		steps: []provider.SetupStep{
			{Title: "Put the files into the app", Text: "They are the page `/cli`. `CLERK_SECRET_KEY` is the one that the app has already."},
			{
				Title: "Let clerkMiddleware() run for /cli",
				Text: "Its matcher in `middleware.ts` (or `proxy.ts`) has to have the path. A Content-Security-Policy that the app adds to every page must not be added to this one: " +
					"browsers obey both, and `form-action 'self'` keeps the answer from the terminal.",
			},
		},
	},
	{
		name: "bridge-go", doc: "a bridge page as a http.Handler, of the standard library alone",
		files: []string{"clibridge/clibridge.go", "clibridge/clibridge.go"},
		steps: []provider.SetupStep{
			{
				Title: "Serve it, and say who is signed in",
				Text: "    http.Handle(\"/cli\", &clibridge.Bridge{\n        URL:       \"https://app.example/cli\",\n        SignInURL: \"https://app.example/sign-in\",\n" +
					"        SecretKey: os.Getenv(\"CLERK_SECRET_KEY\"),\n        SignedIn:  signedIn, // as everywhere else in the app\n    })",
			},
		},
	},
	{
		name: "bridge-cloudflare-worker", doc: "a bridge page as a Cloudflare Worker beside an app in anything",
		files: []string{
			"cli-bridge/wrangler.toml", "worker/wrangler.toml", "cli-bridge/package.json", "worker/package.json",
			"cli-bridge/src/index.js", "worker/index.js", "cli-bridge/src/bridge.js", "web/bridge.js",
		},
		steps: []provider.SetupStep{
			{Title: "Fill in wrangler.toml", Text: "The route has to be of the app's own domain: a browser sends its cookies there alone."},
			{Title: "Deploy it", Text: "    npm install\n    npx wrangler secret put CLERK_SECRET_KEY\n    npx wrangler deploy"},
		},
	},
}

func bridgeTopics() []provider.SetupTopic {
	var topics []provider.SetupTopic
	for _, b := range bridges {
		topics = append(topics, provider.SetupTopic{Name: b.name, Doc: b.doc})
	}
	return topics
}

// bridgeSetup describes what a bridge page needs.
func bridgeSetup(topic string) (provider.Setup, error) {
	var names []string
	for _, b := range bridges {
		names = append(names, b.name)
		if b.name != topic {
			continue
		}
		setup := provider.Setup{Steps: append(b.steps[:len(b.steps):len(b.steps)], provider.SetupStep{
			Title: "Tell zen where it is", Text: "    zen config set providers.clerk." + keyBridgeURL + " https://app.example/cli\n    zen login --provider clerk",
		})}
		for i := 0; i < len(b.files); i += 2 {
			text, err := bridgeFiles.ReadFile("bridge/" + b.files[i+1])
			if err != nil {
				panic(err) // it is embedded in the binary, and tested
			}
			setup.Files = append(setup.Files, provider.SetupFile{Path: b.files[i], Doc: "part of " + b.doc, Text: string(text)})
		}
		return setup, nil
	}
	return provider.Setup{}, &provider.Error{
		Kind: provider.ErrConfig, Message: fmt.Sprintf("clerk: there is no setup of %.40q", topic),
		Hint: "the topics are " + strings.Join(names, ", "),
	}
}
