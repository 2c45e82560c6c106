commit("2026-01-19 08:00", "Olga Maier", "Answer requests by tenant", {
"README.md": "# gateway\n\nRequests are `TENANT COST`, one a line.\n",
"go.mod": "module shop.example/gateway\n\ngo 1.19\n",
"main.go": '''package main

import (
	"bufio"
	"log"
	"os"

	"shop.example/gateway/internal/handler"
	"shop.example/gateway/internal/request"
	"shop.example/gateway/internal/tenants"
)

func main() {
	log.SetOutput(os.Stdout)
	h := handler.New(tenants.Load())
	log.Print("gateway is up")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		req, err := request.Parse(lines.Text())
		if err != nil {
			log.Printf("bad request: %v", err)
			continue
		}
		log.Printf("%s: %s", req.Tenant, h.Handle(req))
	}
}
''',
"internal/request/request.go": '''// Package request reads requests.
package request

import (
	"fmt"
)

// Request of a tenant.
type Request struct {
	Tenant string
	Cost   int
}

// Parse reads "TENANT COST".
func Parse(line string) (Request, error) {
	var r Request
	if _, err := fmt.Sscanf(line, "%s %d", &r.Tenant, &r.Cost); err != nil {
		return r, fmt.Errorf("%q: %w", line, err)
	}
	return r, nil
}
''',
"internal/tenants/tenants.go": '''// Package tenants knows who may ask.
package tenants

import "errors"

// ErrUnknown tells that there is no such tenant.
var ErrUnknown = errors.New("unknown tenant")

// Tenant with what it may spend.
type Tenant struct {
	Name     string
	Plan     string
	Archived bool
}

// Registry of tenants.
type Registry struct {
	byName map[string]*Tenant
}

// Load gives the registry of production.
func Load() *Registry {
	r := &Registry{byName: map[string]*Tenant{}}
	for _, t := range known {
		t := t
		r.byName[t.Name] = &t
	}
	return r
}

// Lookup gives the tenant of a name, or an error.
func (r *Registry) Lookup(name string) (*Tenant, error) {
	t, ok := r.byName[name]
	if !ok {
		return nil, ErrUnknown
	}
	if t.Archived {
		return nil, nil
	}
	return t, nil
}
''',
"internal/tenants/known.go": '''package tenants

var known = []Tenant{
	{Name: "acme", Plan: "large"},
	{Name: "nordic", Plan: "small"},
	{Name: "heron", Plan: "small", Archived: true},
}
''',
"internal/plan/plan.go": '''// Package plan says what a plan allows.
package plan

var limits = map[string]int{"small": 10, "large": 100}

// Allows tells whether a request of this cost may pass.
func Allows(plan string, cost int) bool {
	return cost <= limits[plan]
}
''',
"internal/handler/handler.go": '''// Package handler answers requests.
package handler

import (
	"shop.example/gateway/internal/plan"
	"shop.example/gateway/internal/request"
	"shop.example/gateway/internal/tenants"
)

// Handler answers requests of tenants.
type Handler struct {
	tenants *tenants.Registry
}

// New makes a handler.
func New(registry *tenants.Registry) *Handler {
	return &Handler{tenants: registry}
}

// Handle answers one request.
func (h *Handler) Handle(req request.Request) string {
	tenant, err := h.tenants.Lookup(req.Tenant)
	if err != nil {
		return "refused: " + err.Error()
	}
	if !plan.Allows(tenant.Plan, req.Cost) {
		return "refused: over the plan"
	}
	return "served"
}
'''})
commit("2026-02-09 10:00", "Olga Maier", "Test plans", {
"internal/plan/plan_test.go": '''package plan

import "testing"

func TestAllows(t *testing.T) {
	if Allows("small", 11) || !Allows("large", 100) {
		t.Fatal("limits")
	}
}
'''})
commit("2026-03-24 12:30", "Felix Stern", "Ignore binaries", {".gitignore": "/gateway\n"})
commit("2026-08-05 09:00", "Felix Stern", "Kestrel is a tenant", {
"internal/tenants/known.go": ('''	{Name: "heron"''', '''	{Name: "kestrel", Plan: "large"},
	{Name: "heron"''')})
commit("2026-11-12 13:15", "Olga Maier", "A plan in between", {
"internal/plan/plan.go": ('{"small": 10, "large": 100}', '{"small": 10, "medium": 40, "large": 100}')})
commit("2026-11-19 10:40", "Felix Stern", "Document the answers", {"README.md": "# gateway\n\nRequests are `TENANT COST`, one a line. Answers are `served` or `refused: WHY`.\n"})
right({"internal/tenants/tenants.go": ("		return nil, nil\n", "		return nil, ErrUnknown\n")})
run("/tmp/gateway-bin", "acme 50\nnordic 20\nsomebody 1\nkestrel 99\nheron 5\nacme 1\n", build="go build -o /tmp/gateway-bin .")
