package ingest

import (
	"fmt"
	"testing"

	"shop.example/ingest/internal/config"
	"shop.example/ingest/internal/event"
)

func TestEveryKeyHasABuffer(t *testing.T) {
	service := New(config.Config{Shards: 3, Buffer: 2})
	for n := 0; n < 500; n++ {
		service.Take(event.Event{Key: fmt.Sprintf("key-%d", n)})
	}
	if service.Taken() != 500 {
		t.Fatal(service.Taken())
	}
}
