package zen

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/host/pin"
	"github.com/zen-auth/zen/internal/names"
	"github.com/zen-auth/zen/internal/text"
)

// permitted returns the fields without the variables that the provider may not have: set ones
// of other families than its own (NAME_...), which no one has allowed it. A provider that
// zen came with, and one that is being written, has what it names.
func (p *Providers) permitted(ctx context.Context, name string, fields []provider.Field) ([]provider.Field, error) {
	p.asking.Lock()
	defer p.asking.Unlock()
	binary, ok := p.binaries[name]
	if !ok {
		return fields, nil
	}
	known, err := p.Pins.Known(binary)
	if err != nil || known.Known == pin.Bundled {
		return fields, err
	}
	var foreign []string
	for _, variable := range foreignVariables(name, fields) {
		if p.config.HasVariable(variable) && !slices.Contains(known.Env, variable) {
			foreign = append(foreign, variable)
		}
	}
	if len(foreign) == 0 {
		return fields, nil
	}
	if !slices.Equal(p.refused[name], foreign) {
		allowed, err := p.askVariables(ctx, binary, foreign)
		if err != nil || allowed {
			return fields, err
		}
		if p.refused == nil {
			p.refused = map[string][]string{}
		}
		p.refused[name] = foreign
	}
	kept := slices.Clone(fields)
	for i := range kept {
		kept[i].Env = slices.DeleteFunc(slices.Clone(kept[i].Env), func(v string) bool { return slices.Contains(foreign, v) })
	}
	return kept, nil
}

// askVariables asks a person, and says so if no one can be asked.
func (p *Providers) askVariables(ctx context.Context, b host.Binary, variables []string) (bool, error) {
	if p.ask != nil {
		ok, err := p.ask(ctx, b, variables)
		if err != nil || ok {
			if err == nil {
				err = p.Pins.Lock.AllowEnv(ctx, b, variables)
			}
			return ok, err
		}
	}
	if p.notify != nil {
		p.notify(fmt.Sprintf("provider %s doesn't get the variables %s, which are not its own; to allow that: zen provider trust --env %s %s",
			b.Name, text.Line(strings.Join(variables, ", "), 300), text.Line(strings.Join(variables, " --env "), 300), b.Name))
	}
	return false, nil
}

// foreignVariables returns the variables that a provider's fields name beside its own family.
func foreignVariables(name string, fields []provider.Field) []string {
	var foreign []string
	for _, field := range fields {
		for _, variable := range field.Env {
			if !names.IsOwnVariable(name, variable) && !slices.Contains(foreign, variable) {
				foreign = append(foreign, variable)
			}
		}
	}
	return foreign
}
