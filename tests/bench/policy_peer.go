// policy_peer.go: how long Open Policy Agent and Casbin take to decide about
// the flows that policy_peer.py writes. Prints the engine's name, the flow's
// number, nanoseconds and the answer, one line for each flow.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/casbin/casbin/v2"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(path string) []byte {
	text, err := os.ReadFile(path)
	check(err)
	return text
}

// The second of two decisions is timed, as in decide_speed.c.
func timed(engine string, flow int, decide func() string) {
	decide()
	start := time.Now()
	answer := decide()
	fmt.Printf("%s\t%d\t%d\t%s\n", engine, flow, time.Since(start), answer)
}

func openPolicyAgent(dir string) {
	var inputs []any
	check(json.Unmarshal(read(filepath.Join(dir, "inputs.json")), &inputs))
	ctx := context.Background()
	start := time.Now()
	query, err := rego.New(
		rego.Query("answer := data.peer.answer"),
		rego.Module("peer.rego", string(read(filepath.Join(dir, "peer.rego")))),
	).PrepareForEval(ctx)
	check(err)
	fmt.Fprintf(os.Stderr, "opa: rules read in %v\n", time.Since(start))
	for i, input := range inputs {
		value, err := ast.InterfaceToValue(input)
		check(err)
		timed("opa", i, func() string {
			results, err := query.Eval(ctx, rego.EvalParsedInput(value))
			check(err)
			return fmt.Sprint(results[0].Bindings["answer"])
		})
	}
}

func casbinEnforcer(dir string) {
	var requests [][]any
	check(json.Unmarshal(read(filepath.Join(dir, "requests.json")), &requests))
	start := time.Now()
	enforcer, err := casbin.NewEnforcer(filepath.Join(dir, "model.conf"),
		filepath.Join(dir, "policy.csv"))
	check(err)
	fmt.Fprintf(os.Stderr, "casbin: rules read in %v\n", time.Since(start))
	for i, request := range requests {
		timed("casbin", i, func() string {
			_, rule, err := enforcer.EnforceEx(request...)
			check(err)
			return append(rule, "none")[0]
		})
	}
}

func main() {
	if os.Args[1] == "opa" {
		openPolicyAgent(os.Args[2])
	} else {
		casbinEnforcer(os.Args[2])
	}
}
