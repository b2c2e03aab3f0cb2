# shellcheck shell=bash disable=SC2154
# Two of each kind, and two pipelines at once, one of them of a definition of one's own.

title 'Two orchestrators, two build workers'
set_setting ORCHESTRATORS 2
set_setting BUILD_WORKERS 2
up
for worker in orchestrator build; do
  timeout --foreground 300 "$rehearsal/podman.sh" wait --condition=healthy "$(container $worker 2)"
done
run_fairway get programs 1001 -o yaml > my.yaml
python3 - <<'PY'
import re
text = open("my.yaml").read()
repository = re.search(r"^( +)repository:\n(?:\1 +.*\n)+", text, re.M).group()
indent = re.search(r"^( *)- id: ['\"]?2001", text, re.M).group(1)
quality = f"{indent}- id: '2002'\n{indent}  name: Quality\n{indent}  type: codeQuality\n" + repository
open("my.yaml", "w").write(re.sub(r"^( *)- id: ['\"]?2001", lambda found: quality + found.group(), text, count=1, flags=re.M))
PY
say docker compose run --rm -T --volume "$PWD/my.yaml:/my.yaml:ro" fairway apply -f /my.yaml --yes
fairway doctor | grep -E '(orchestrator|builds): '

fairway start Production
fairway start Quality
ends_well 3
wait_until 600 'fairway approve 0000000002' run_fairway waiting
for worker in orchestrator build; do
  for number in 1 2; do
    printf '%s %s: ' $worker $number
    docker compose exec -T --index $number $worker node -e '
      const text = await (await fetch("http://127.0.0.1:9090/metrics")).text();
      const count = (name) => text.split("\n").filter((line) => line.startsWith(`temporal_${name}`) && /_count[{ ]/.test(line))
        .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
      const [tasks, activities] = [count("workflow_task_execution_latency"), count("activity_execution_latency")];
      console.log(`${tasks} workflow tasks, ${activities} activities`);
      process.exitCode = activities > 0 ? 0 : 1;'
  done
done
