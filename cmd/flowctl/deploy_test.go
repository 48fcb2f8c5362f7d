package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/flows"
)

// What is run in containers cannot be run here. So the files are read, and
// whatever they say of flowctl is held against flowctl.

type composeFile struct {
	Name     string
	Services map[string]composeService
	Volumes  map[string]map[string]any
	Rest     map[string]any `yaml:",inline"`
}

// composeService has the keys of the compose specification that are used.
type composeService struct {
	Image       string
	Build       string
	Command     []string
	Restart     string
	Environment map[string]string
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	Healthcheck struct {
		Test              []string
		Interval, Timeout string
		Retries           int
		StartPeriod       string `yaml:"start_period"`
		Disable           bool
		Rest              map[string]any `yaml:",inline"`
	}
	Deploy          struct{ Replicas int }
	Ports           []string
	Volumes         []string
	ReadOnly        bool `yaml:"read_only"`
	Tmpfs           []string
	CapDrop         []string `yaml:"cap_drop"`
	SecurityOpt     []string `yaml:"security_opt"`
	StopGracePeriod string   `yaml:"stop_grace_period"`
	ShmSize         string   `yaml:"shm_size"`
	Logging         struct {
		Driver  string
		Options map[string]string
	}
	Rest map[string]any `yaml:",inline"`
}

func TestComposeFile(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file composeFile
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for key := range file.Rest {
		if !strings.HasPrefix(key, "x-") {
			t.Errorf("the key %q is not one of compose's", key)
		}
	}
	played := map[engine.Role]int{}
	for name, s := range file.Services {
		if len(s.Rest) > 0 || len(s.Healthcheck.Rest) > 0 {
			t.Errorf("%s has keys that are not compose's: %v %v", name, s.Rest, s.Healthcheck.Rest)
		}
		for other, wants := range s.DependsOn {
			if wants.Condition != "service_healthy" || len(file.Services[other].Healthcheck.Test) == 0 {
				t.Errorf("%s waits for %s, which does not tell whether it is healthy", name, other)
			}
		}
		for _, volume := range s.Volumes {
			if source, _, _ := strings.Cut(volume, ":"); !strings.HasPrefix(source, ".") {
				if _, declared := file.Volumes[source]; !declared {
					t.Errorf("%s uses the volume %s, which is not declared", name, source)
				}
			}
		}
		if s.Build == "" {
			continue
		}
		checkVariables(t, name, s.Environment)
		if s.Image == "" || !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) {
			t.Errorf("%s may do more than it needs to", name)
		}
		for _, role := range checkServe(t, name, s.Command) {
			played[role] += max(s.Deploy.Replicas, 1)
		}
	}
	for _, role := range engine.Roles() {
		if played[role] == 0 {
			t.Errorf("nobody is %s", role)
		}
	}
	if played[engine.RoleWorker] < 2 {
		t.Error("there are no two workers")
	}
	redis := strings.Join(file.Services["redis"].Command, " ")
	for _, option := range []string{"--appendonly yes", "--maxmemory-policy noeviction"} {
		if !strings.Contains(redis, option) {
			t.Errorf("Redis is started without %s", option)
		}
	}
}

// checkVariables looks whether something reads the variables.
func checkVariables(t *testing.T, where string, variables map[string]string) {
	t.Helper()
	app, found, err := flow.Load(flows.Files, "flows")
	if err != nil || found.Failed() {
		t.Fatal(err, found)
	}
	c := cli.NewContext(&cli.App{Commands: commands()}, nil, nil)
	for name := range variables {
		if strings.HasPrefix(name, "FLOWCTL_") && !knownVariable(c, app, name) {
			t.Errorf("%s sets %s, which nothing reads", where, name)
		}
	}
}

// checkServe looks whether a command line is one of serve, and returns its roles.
func checkServe(t *testing.T, where string, words []string) []engine.Role {
	t.Helper()
	if len(words) == 0 || words[0] != "serve" {
		t.Errorf("%s starts %v", where, words)
		return nil
	}
	command, roles := serveCommand(), ""
	for i := 1; i < len(words); i++ {
		word := words[i]
		name := strings.TrimPrefix(word, "--")
		if !slices.ContainsFunc(command.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) }) || name == word {
			t.Errorf("%s: serve has no %s", where, word)
			continue
		}
		if takesNext(command, word) {
			i++
		}
		if name == "roles" {
			roles = words[i]
		}
	}
	played, err := engine.ParseRoles(roles)
	if err != nil {
		t.Errorf("%s: %v", where, err)
	}
	return played
}

func TestDockerfile(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	known := []string{"FROM", "WORKDIR", "COPY", "RUN", "ARG", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
	text := strings.ReplaceAll(string(data), "\\\n", " ")
	last := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		if !slices.Contains(known, word) {
			t.Errorf("the instruction %q is not Docker's", word)
		}
		last[word] = strings.TrimSpace(rest)
	}
	if user := last["USER"]; user == "" || strings.HasPrefix(user, "0") || user == "root" {
		t.Errorf("it runs as %q", user)
	}
	if version := goVersion(t); !strings.Contains(text, "golang:"+version+"-") {
		t.Errorf("it is not built with Go %s, which go.mod asks for", version)
	}
	variables := map[string]string{}
	for _, match := range regexp.MustCompile(`(FLOWCTL_[A-Z_]+)=`).FindAllStringSubmatch(last["ENV"], -1) {
		variables[match[1]] = ""
	}
	checkVariables(t, "the Dockerfile", variables)
	if last["CMD"] != `["serve"]` {
		t.Errorf("it starts %s", last["CMD"])
	}
}

// goVersion is go.mod's, without its patch.
func goVersion(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(data)
	if match == nil {
		t.Fatal("go.mod names no version of Go")
	}
	return string(match[1])
}

func TestSystemdUnit(t *testing.T) {
	t.Parallel()
	const unit = "../../deploy/flowctl.service"
	f, err := os.Open(unit)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var lines []string
	start := ""
	for scanner := bufio.NewScanner(f); scanner.Scan(); {
		line := scanner.Text()
		if command, ok := strings.CutPrefix(line, "ExecStart=/usr/local/bin/flowctl "); ok {
			start, line = command, "ExecStart=/bin/true"
		}
		// The machine of the test has no such user.
		if !strings.HasPrefix(line, "User=") && !strings.HasPrefix(line, "Group=") {
			lines = append(lines, line)
		}
	}
	checkServe(t, unit, strings.Fields(start))
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("there is no systemd-analyze here: the unit's own keys were not checked")
	}
	copied := filepath.Join(t.TempDir(), "flowctl.service")
	if err := os.WriteFile(copied, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("systemd-analyze", "verify", "--man=no", copied).CombinedOutput()
	if err != nil || strings.Contains(string(out), "flowctl.service") {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}
