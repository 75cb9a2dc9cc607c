package conformance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// noSuchThing is an id that no organization, member or invitation has.
const noSuchThing = "zen-test-no-such-thing"

// checkTeam lists members and invitations, and makes requests that can't succeed. It sends
// no invitation.
func checkTeam(ctx context.Context, s *suite, conn *grpc.ClientConn) (string, error) {
	team := pb.NewTeamClient(conn)
	for what, ask := range map[string]func(context.Context, *pb.TeamContext) (replacing, error){
		"the revocation of an unknown invitation": func(ctx context.Context, c *pb.TeamContext) (replacing, error) {
			return team.RevokeInvitation(ctx, &pb.RevokeInvitationRequest{Context: c, Id: noSuchThing})
		},
		"the removal of an unknown member": func(ctx context.Context, c *pb.TeamContext) (replacing, error) {
			return team.RemoveMember(ctx, &pb.RemoveMemberRequest{Context: c, Id: noSuchThing})
		},
		"a change of an unknown member's role": func(ctx context.Context, c *pb.TeamContext) (replacing, error) {
			return team.ChangeRole(ctx, &pb.ChangeRoleRequest{Context: c, Id: noSuchThing, Role: noSuchThing})
		},
		"an invitation without an address": func(ctx context.Context, c *pb.TeamContext) (replacing, error) {
			return team.Invite(ctx, &pb.InviteRequest{Context: c})
		},
	} {
		if err := s.act(ctx, "", ask); err == nil {
			return "", fmt.Errorf("%s succeeds", what)
		}
	}
	var members []*pb.Member
	var invitations []*pb.Invitation
	err := s.act(ctx, "", func(ctx context.Context, c *pb.TeamContext) (replacing, error) {
		r, err := team.Members(ctx, &pb.MembersRequest{Context: c})
		members = r.GetMembers()
		return r, err
	})
	if err == nil {
		err = s.act(ctx, "", func(ctx context.Context, c *pb.TeamContext) (replacing, error) {
			r, err := team.Invitations(ctx, &pb.InvitationsRequest{Context: c})
			invitations = r.GetInvitations()
			return r, err
		})
	}
	if err != nil {
		return "impossible requests are refused; no members to check: " + outcome(err), nil
	}
	ids := make(map[string]bool)
	for _, m := range members {
		if m.GetId() == "" || ids[m.GetId()] || !isLine(m.GetId()) || !isLine(m.GetEmail()) || !isLine(m.GetName()) || !isLine(m.GetRole()) {
			return "", fmt.Errorf("the member %.40q has no unique id, or a text of several lines", m.GetId())
		}
		ids[m.GetId()] = true
	}
	for _, i := range invitations {
		if i.GetId() == "" || ids[i.GetId()] || !isLine(i.GetId()) || i.GetEmail() == "" || !isLine(i.GetEmail()) || i.GetStatus() == "" || !isLine(i.GetStatus()) {
			return "", fmt.Errorf("the invitation %.40q has no unique id, no address or no status, or a text of several lines", i.GetId())
		}
		ids[i.GetId()] = true
	}
	return fmt.Sprintf("%d members, %d invitations", len(members), len(invitations)), nil
}

func checkOrganizations(ctx context.Context, s *suite, conn *grpc.ClientConn) (string, error) {
	list := func() (memberships []*pb.Membership, err error) {
		return memberships, s.act(ctx, "", func(ctx context.Context, c *pb.TeamContext) (replacing, error) {
			r, err := pb.NewOrganizationsClient(conn).Organizations(ctx, &pb.OrganizationsRequest{Context: c})
			memberships = r.GetMemberships()
			return r, err
		})
	}
	before, beforeErr := list()
	err := s.act(ctx, noSuchThing, func(ctx context.Context, c *pb.TeamContext) (replacing, error) {
		return pb.NewOrganizationsClient(conn).UseOrganization(ctx, &pb.UseOrganizationRequest{Context: c})
	})
	if err == nil {
		return "", errors.New("it switches to an organization that doesn't exist")
	}
	if beforeErr != nil {
		return "an unknown organization is refused; no organizations to check: " + outcome(beforeErr), nil
	}
	if fault := membershipsFault(before); fault != nil {
		return "", fault
	}
	after, err := list()
	if err != nil || !slices.EqualFunc(before, after, func(a, b *pb.Membership) bool { return proto.Equal(a, b) }) {
		return "", errors.New("after an unknown organization was refused, the list of organizations has changed")
	}
	return fmt.Sprintf("%d organizations", len(before)), nil
}

// membershipsFault returns what is wrong with a list of organizations.
func membershipsFault(memberships []*pb.Membership) error {
	ids, active := make(map[string]bool), 0
	for _, m := range memberships {
		id := m.GetOrganization().GetId()
		if id == "" || ids[id] || !isLine(id) || !isLine(m.GetOrganization().GetSlug()) || !isLine(m.GetName()) {
			return fmt.Errorf("the organization %.40q has no unique id, or a text of several lines", id)
		}
		if ids[id] = true; m.GetActive() {
			active++
		}
	}
	if active > 1 {
		return fmt.Errorf("%d organizations are active at once", active)
	}
	return nil
}

// replacing is a response that may replace the credential, and may be a failure.
type replacing interface {
	GetCredential() *pb.Credential
	GetFailure() *pb.Failure
}

// act makes a call with the credential of an earlier login, or with one that was never
// issued. If the response replaces that login's credential, act keeps the new one.
func (s *suite) act(ctx context.Context, organization string, call func(context.Context, *pb.TeamContext) (replacing, error)) error {
	ctx, cancel := context.WithTimeout(ctx, 3*callLimit)
	defer cancel()
	credential := cmp.Or(s.credential, &pb.Credential{Data: []byte(plantedCredential)})
	reply, err := call(ctx, &pb.TeamContext{Credential: credential, Organization: organization})
	if err != nil {
		return err
	}
	if next := reply.GetCredential(); next != nil && s.credential != nil {
		s.credential = next
	}
	if f := reply.GetFailure(); f != nil {
		return failed{f}
	}
	return nil
}
