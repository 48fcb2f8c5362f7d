//go:build linux

package chaos

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/flowctl/flowctl/engine/store/storetest"
)

// redisServer is a real Redis that forgets everything when it ends.
type redisServer struct {
	t      *testing.T
	folder string
	cmd    *exec.Cmd
}

// startRedis starts a redis-server on a socket in a folder of its own.
func startRedis(t *testing.T) *redisServer {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("SKIPPED: no redis-server is installed, so nothing was tested under failures")
	}
	s := &redisServer{t: t, folder: t.TempDir()}
	s.start()
	t.Cleanup(s.kill)
	return s
}

func (s *redisServer) socket() string { return filepath.Join(s.folder, "redis.sock") }
func (s *redisServer) url() string    { return "unix://" + s.socket() }

func (s *redisServer) start() {
	s.t.Helper()
	s.cmd = exec.Command("redis-server", "--port", "0", "--unixsocket", s.socket(), "--dir", s.folder,
		"--save", "", "--appendonly", "no", "--daemonize", "no")
	storetest.Tie(s.cmd)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	eventually(s.t, 30*time.Second, "redis-server answers", func() bool {
		return s.do(func(client *redis.Client) error { return client.Ping(context.Background()).Err() }) == nil
	})
}

// kill ends it as a crash does.
func (s *redisServer) kill() {
	if s.cmd == nil {
		return
	}
	if err := s.cmd.Process.Kill(); err != nil {
		s.t.Error(err)
	}
	_ = s.cmd.Wait() // "signal: killed"
	s.cmd = nil
}

// flush empties it while it runs.
func (s *redisServer) flush() {
	s.t.Helper()
	if err := s.do(func(client *redis.Client) error { return client.FlushAll(context.Background()).Err() }); err != nil {
		s.t.Fatal(err)
	}
}

func (s *redisServer) do(what func(*redis.Client) error) error {
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: s.socket()})
	defer client.Close()
	return what(client)
}
