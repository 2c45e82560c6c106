commit("2026-04-13 09:00", "Henrik Moe", "Spread events over shards", {
"README.md": "# ingest\n\nReads `KEY VALUE` lines and writes them by shard.\n",
"go.mod": "module shop.example/ingest\n\ngo 1.19\n",
"main.go": '''package main

import (
	"bufio"
	"log"
	"os"

	"shop.example/ingest/internal/config"
	"shop.example/ingest/internal/event"
	"shop.example/ingest/internal/ingest"
)

func main() {
	log.SetOutput(os.Stdout)
	cfg := config.Default()
	service := ingest.New(cfg)
	log.Printf("ingest started with %d shards", cfg.Shards)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		e, err := event.Parse(lines.Text())
		if err != nil {
			log.Printf("skipped: %v", err)
			continue
		}
		service.Take(e)
	}
	log.Printf("done: %d events", service.Taken())
}
''',
"internal/config/config.go": '''// Package config holds the settings.
package config

// Config of the service.
type Config struct {
	Shards int
	Buffer int
}

// Default is what production runs with.
func Default() Config {
	return Config{Shards: 4, Buffer: 2}
}
''',
"internal/event/event.go": '''// Package event reads events.
package event

import (
	"fmt"
	"strings"
)

// Event is one reading of a key.
type Event struct {
	Key   string
	Value string
}

// Parse reads "KEY VALUE".
func Parse(line string) (Event, error) {
	key, value, found := strings.Cut(line, " ")
	if !found || key == "" {
		return Event{}, fmt.Errorf("no event: %q", line)
	}
	return Event{Key: key, Value: value}, nil
}
''',
"internal/shard/shard.go": '''// Package shard says where an event belongs.
package shard

import "hash/fnv"

// Of gives the shard of a key, from 0.
func Of(key string, count int) int {
	sum := fnv.New32a()
	sum.Write([]byte(key))
	return int(sum.Sum32() % uint32(count))
}
''',
"internal/writer/writer.go": '''// Package writer buffers events by shard.
package writer

import (
	"log"

	"shop.example/ingest/internal/event"
)

// Writer holds a buffer for each shard.
type Writer struct {
	buffers [][]event.Event
	limit   int
	Flushed int
}

// New makes a writer for shards 0 to shards-1.
func New(shards, limit int) *Writer {
	return &Writer{buffers: make([][]event.Event, shards), limit: limit}
}

// Append puts an event into its shard's buffer.
func (w *Writer) Append(shard int, e event.Event) {
	w.buffers[shard] = append(w.buffers[shard], e)
	if len(w.buffers[shard]) >= w.limit {
		log.Printf("shard %d: flushed %d", shard, len(w.buffers[shard]))
		w.Flushed += len(w.buffers[shard])
		w.buffers[shard] = w.buffers[shard][:0]
	}
}
''',
"internal/ingest/ingest.go": '''// Package ingest connects shards and writer.
package ingest

import (
	"shop.example/ingest/internal/config"
	"shop.example/ingest/internal/event"
	"shop.example/ingest/internal/shard"
	"shop.example/ingest/internal/writer"
)

// Service takes events.
type Service struct {
	cfg    config.Config
	writer *writer.Writer
	taken  int
}

// New makes a service.
func New(cfg config.Config) *Service {
	return &Service{cfg: cfg, writer: writer.New(cfg.Shards, cfg.Buffer)}
}

// Take writes one event to its shard.
func (s *Service) Take(e event.Event) {
	to := shard.Of(e.Key, s.cfg.Shards)
	s.writer.Append(to, e)
	s.taken++
}

// Taken counts events.
func (s *Service) Taken() int { return s.taken }
'''})
commit("2026-04-28 11:00", "Henrik Moe", "Test the parser", {
"internal/event/event_test.go": '''package event

import "testing"

func TestParse(t *testing.T) {
	if _, err := Parse("nothing"); err == nil {
		t.Fatal("a line without a value was taken")
	}
}
'''})
commit("2026-06-30 15:00", "Dana Roth", "Ignore binaries", {".gitignore": "/ingest\n"})
commit("2026-09-14 09:10", "Dana Roth", "Say how many were taken in the README", {"README.md": "# ingest\n\nReads `KEY VALUE` lines, writes them by shard and says how many it took.\n"})
commit("2026-11-18 14:50", "Dana Roth", "Let heavy keys go to a shard of their own\n\nKeys that begin with ! are spread over the last shard.", {
"internal/shard/shard.go": ('''// Of gives the shard of a key, from 0.
func Of(key string, count int) int {
	sum := fnv.New32a()
	sum.Write([]byte(key))
	return int(sum.Sum32() % uint32(count))
}
''', '''// Of gives the shard of a key, from 0. Heavy keys have the last one.
func Of(key string, count int) int {
	if key[0] == '!' {
		return count - 1
	}
	sum := fnv.New32a()
	sum.Write([]byte(key))
	return int(sum.Sum32() % uint32(count+1))
}
''')})
commit("2026-11-20 10:05", "Henrik Moe", "Comment on the settings", {
"internal/config/config.go": ("// Config of the service.\n", "// Config of the service; Buffer counts events.\n")})
right({"internal/shard/shard.go": ("uint32(count+1)", "uint32(count)")})
run("/tmp/ingest-bin", "".join(f"{key} {n}\n" for n, key in enumerate(["cart", "search", "cart", "login", "search", "!bulk", "checkout", "profile", "wishlist", "orders", "returns", "stock", "payments", "reviews", "gifts", "baskets", "support"])), build="go build -o /tmp/ingest-bin .")
