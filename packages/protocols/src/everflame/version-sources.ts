/**
 * Where an agent reads the version of a program, in the order in which sources are asked: values of the label `service_version_source`. What a process says
 * of itself (OpenTelemetry's resource attributes) comes before all of them; its series have no such label.
 */
export const versionSources = [
  'kubernetes_label',
  'image_label',
  'image_tag',
  'image_digest',
  'package_json',
  'python_dist',
  'jar_manifest',
  'go_build_info',
  'git_head',
  'build_id',
] as const;

/** Before them a mark of somebody who deployed it, and what the process or who sends its profiles says. The first that says something is believed. */
export const allVersionSources = ['mark', 'reported', ...versionSources] as const;
