package wire

import (
	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

var fieldTypes = map[provider.FieldType]pb.FieldType{
	provider.TypeString:   pb.FieldType_FIELD_TYPE_STRING,
	provider.TypeURL:      pb.FieldType_FIELD_TYPE_URL,
	provider.TypeBool:     pb.FieldType_FIELD_TYPE_BOOL,
	provider.TypeInt:      pb.FieldType_FIELD_TYPE_INT,
	provider.TypeDuration: pb.FieldType_FIELD_TYPE_DURATION,
}

// FieldType returns the type of a setting; one that this version doesn't know is a string.
func FieldType(t pb.FieldType) provider.FieldType { return key(fieldTypes, t, provider.TypeString) }

var interactions = map[provider.Interaction]pb.Interaction{
	provider.InteractionNone:     pb.Interaction_INTERACTION_NONE,
	provider.InteractionTerminal: pb.Interaction_INTERACTION_TERMINAL,
	provider.InteractionBrowser:  pb.Interaction_INTERACTION_BROWSER,
	provider.InteractionDevice:   pb.Interaction_INTERACTION_DEVICE,
}

// key returns the key of value in m, or fallback.
func key[K, V comparable](m map[K]V, value V, fallback K) K {
	for k, v := range m {
		if v == value {
			return k
		}
	}
	return fallback
}

func descriptionToWire(d provider.Description) *pb.DescribeResponse {
	return &pb.DescribeResponse{
		Name:     sentText(d.Name),
		Version:  sentText(d.Version),
		Summary:  sentText(d.Summary),
		Homepage: sentText(d.Homepage),
		Services: each(d.Services, func(s provider.Service) string { return string(s) }),
		Fields: each(d.Fields, func(f provider.Field) *pb.Field {
			return &pb.Field{
				Key: f.Key, Type: fieldTypes[f.Type], Required: f.Required, Sensitive: f.Sensitive,
				Env: f.Env, Default: f.Default, Doc: sentText(f.Doc),
				Example: sentText(f.Example), FoundAs: f.FoundAs,
			}
		}),
		Methods: each(d.Methods, func(m provider.Method) *pb.Method {
			return &pb.Method{
				Name: m.Name, Doc: sentText(m.Doc),
				Interaction: interactions[m.Interaction], IdentityOnly: m.IdentityOnly,
			}
		}),
		Assertions: each(d.Assertions, kindToWire),
		Needs:      optional(d.Needs, needToWire),
	}
}

func descriptionFromWire(d *pb.DescribeResponse) provider.Description {
	return provider.Description{
		Name:     receivedText(d.GetName()),
		Version:  receivedText(d.GetVersion()),
		Summary:  receivedText(d.GetSummary()),
		Homepage: receivedText(d.GetHomepage()),
		Services: each(d.GetServices(), func(s string) provider.Service { return provider.Service(receivedText(s)) }),
		Fields: each(d.GetFields(), func(f *pb.Field) provider.Field {
			return provider.Field{
				Key: receivedText(f.GetKey()), Type: FieldType(f.GetType()),
				Required: f.GetRequired(), Sensitive: f.GetSensitive(),
				Env: each(f.GetEnv(), receivedText), Default: receivedText(f.GetDefault()), Doc: receivedText(f.GetDoc()),
				Example: receivedText(f.GetExample()), FoundAs: each(f.GetFoundAs(), receivedText),
			}
		}),
		Methods: each(d.GetMethods(), func(m *pb.Method) provider.Method {
			return provider.Method{
				Name: receivedText(m.GetName()), Doc: receivedText(m.GetDoc()),
				Interaction: key(interactions, m.GetInteraction(), ""), IdentityOnly: m.GetIdentityOnly(),
			}
		}),
		Assertions: each(d.GetAssertions(), kindFromWire),
		Needs:      present(d.GetNeeds(), needFromWire),
	}
}

func settingsToWire(s provider.Settings) map[string]string {
	settings := make(map[string]string, len(s))
	for k, v := range s {
		settings[k] = v.Reveal()
	}
	return settings
}

func settingsFromWire(m map[string]string) provider.Settings {
	settings := make(provider.Settings, len(m))
	for k, v := range m {
		settings[k] = provider.NewSecret(v)
	}
	return settings
}
