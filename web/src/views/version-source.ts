import type { http } from '@everflame/protocols';

/** Where a version was read, in words that say what to look at when it is wrong. */
export const versionSourceTexts: Readonly<Record<http.VersionSource, string>> = {
  mark: 'marked by hand or by CI',
  reported: 'said by the process (OpenTelemetry) or by who posted its profiles',
  kubernetes_label: 'label of the Kubernetes pod',
  image_label: 'label of the container image',
  image_tag: 'tag of the container image',
  image_digest: 'digest of the container image',
  package_json: 'package.json beside the program',
  python_dist: 'metadata of the Python distribution',
  jar_manifest: 'manifest of the JAR',
  go_build_info: 'build information in the Go binary',
  git_head: 'Git commit of the folder that it runs in',
  build_id: 'build ID of the executable: it names no version, it only tells builds apart',
};
