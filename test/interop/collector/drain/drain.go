// Package drain stands in for opentelemetry-collector-contrib's drainprocessor, which the module proxy does not serve.
// It has that processor's defaults (but for max_clusters, of which 0 is no limit there) and puts the same library (go-drain3)
// behind a lock, too: one Drain tree for everything that passes, each record's body trained into it, its template left as
// `log.record.template`. It records no metrics of its own, so it costs, if anything, a little less.
package drain

import (
	"context"
	"fmt"
	"sync"

	"github.com/jaeyo/go-drain3/pkg/drain3"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"
)

// Config has the keys of the contrib processor that decide what a template is and what mining costs.
type Config struct {
	TreeDepth       int64   `mapstructure:"tree_depth"`
	MergeThreshold  float64 `mapstructure:"merge_threshold"`
	MaxNodeChildren int64   `mapstructure:"max_node_children"`
	MaxClusters     int     `mapstructure:"max_clusters"`
}

// NewFactory is what ocb looks for.
func NewFactory() processor.Factory {
	return processor.NewFactory(
		component.MustNewType("drain"),
		func() component.Config {
			return &Config{TreeDepth: 4, MergeThreshold: 0.4, MaxNodeChildren: 100, MaxClusters: 10_000}
		},
		processor.WithLogs(create, component.StabilityLevelDevelopment),
	)
}

func create(ctx context.Context, set processor.Settings, config component.Config, next consumer.Logs) (processor.Logs, error) {
	c := config.(*Config)
	tree, err := drain3.NewDrain(
		drain3.WithDepth(c.TreeDepth),
		drain3.WithSimTh(c.MergeThreshold),
		drain3.WithMaxChildren(c.MaxNodeChildren),
		drain3.WithMaxCluster(c.MaxClusters),
	)
	if err != nil {
		return nil, fmt.Errorf("drain: %w", err)
	}
	a := &annotator{tree: tree}
	return processorhelper.NewLogs(ctx, set, config, next, a.annotate,
		processorhelper.WithCapabilities(consumer.Capabilities{MutatesData: true}))
}

type annotator struct {
	mu   sync.Mutex
	tree *drain3.Drain
}

func (a *annotator) annotate(_ context.Context, logs plog.Logs) (plog.Logs, error) {
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				template, err := a.template(record.Body().AsString())
				if err != nil {
					return logs, err
				}
				record.Attributes().PutStr("log.record.template", template)
			}
		}
	}
	return logs, nil
}

func (a *annotator) template(text string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	cluster, _, err := a.tree.AddLogMessage(text)
	if err != nil {
		return "", err
	}
	return cluster.GetTemplate(), nil
}
