// Package providerv1 is the code that protoc-gen-go and protoc-gen-go-grpc make of
// proto/zen/provider/v1, where each message and field is described.
package providerv1
