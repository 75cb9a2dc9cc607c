package oauth

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxPorts bounds a list of ports: each is registered by hand.
const maxPorts = 10

// ParsePorts reads the ports of 127.0.0.1 on which a browser may come back, with commas
// between them, as in a setting. An empty list yields none. The error has no prefix.
func ParsePorts(list string) ([]int, error) {
	if list == "" {
		return nil, nil
	}
	var ports []int
	for text := range strings.SplitSeq(list, ",") {
		port, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || port < 1024 || port > 65535 {
			return nil, fmt.Errorf("%.20q is not a port from 1024 to 65535", text)
		}
		if slices.Contains(ports, port) {
			return nil, fmt.Errorf("%d is there twice", port)
		}
		ports = append(ports, port)
	}
	if len(ports) > maxPorts {
		return nil, fmt.Errorf("there are %d ports, more than %d", len(ports), maxPorts)
	}
	return ports, nil
}
