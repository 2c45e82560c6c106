package handler

import (
	"strings"
	"testing"

	"shop.example/gateway/internal/request"
	"shop.example/gateway/internal/tenants"
)

func TestArchivedTenantsAreRefused(t *testing.T) {
	h := New(tenants.Load())
	answer := h.Handle(request.Request{Tenant: "heron", Cost: 1})
	if !strings.HasPrefix(answer, "refused") {
		t.Fatal(answer)
	}
	if answer := h.Handle(request.Request{Tenant: "acme", Cost: 1}); answer != "served" {
		t.Fatal(answer)
	}
}
