package clerk

// getEnvironment returns the part of the environment that tells a client how people
// sign in here. The rest of Clerk's long document is about its components.
func getEnvironment(inst *Instance, _ *call) (any, error) {
	kind := "development"
	if inst.opts.Production {
		kind = "production"
	}
	return object{
		"auth_config": object{
			"object": "auth_config", "id": "aconf_" + inst.opts.InstanceID, "single_session_mode": !inst.opts.MultiSession,
			"first_factors": []string{"email_code", "password", "ticket"}, "second_factors": []string{},
			"native_settings": object{"api_enabled": !inst.opts.NativeAPIDisabled},
		},
		"display_config": object{
			"object": "display_config", "id": "display_config_" + inst.opts.InstanceID, "instance_environment_type": kind,
			"application_name": "zen dev", "preferred_sign_in_strategy": "password", "home_url": inst.baseURL,
			"sign_in_url": inst.baseURL + portalSignIn,
		},
		"user_settings": object{
			"attributes": object{
				"email_address": object{"enabled": true, "required": true, "used_for_first_factor": true, "first_factors": []string{"email_code"}},
				"password":      object{"enabled": true, "required": false},
			},
			"social": object{},
		},
		"organization_settings": object{
			"enabled": true, "max_allowed_memberships": defaultMaxMemberships, "force_organization_selection": !inst.opts.NoActiveOrganization,
			"creator_role": organizationAdmin,
		},
		"api_keys_settings": object{"user_api_keys_enabled": !inst.apiKeysDisabled(), "orgs_api_keys_enabled": !inst.apiKeysDisabled()},
		"maintenance_mode":  false,
	}, nil
}
