// Prints the `everflame` of the image: a shell script that runs Node.js for each command as packages/cli/src/*-runtime.json have it.
import { readFileSync } from 'node:fs';

const main = '/opt/everflame/packages/cli/src/main.ts';

function runtimeOf(name) {
  return JSON.parse(readFileSync(`/opt/everflame/packages/cli/src/${name}-runtime.json`, 'utf8'));
}

const [agent, server] = ['agent', 'server'].map(runtimeOf);
const environmentOf = (runtime) =>
  Object.entries(runtime.environment)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

// The command that a recorder runs would inherit the environment.
process.stdout.write(`#!/bin/sh
case "$1" in
  agent) ${environmentOf(agent)} exec node ${agent.flags.join(' ')} ${main} "$@" ;;
  record) exec node ${agent.flags.join(' ')} ${main} "$@" ;;
  *) ${environmentOf(server)} exec node ${server.flags.join(' ')} ${main} "$@" ;;
esac
`);
