import { CopyText } from './copy-text.tsx';

/** What an empty store says: how to feed it. */
export function EmptyStore() {
  const { origin } = location;
  return (
    <section class="empty">
      <h2>No profiles yet</h2>
      <p>
        Everflame shows what the processes of your machines spend their CPU on, as soon as one of these sends it. The
        first samples of an agent arrive after about ten seconds; this page notices by itself.
      </p>
      <dl>
        <dt>Profile this machine</dt>
        <dd>
          <CopyText text="npm start" />
          <p>Runs server and agent here. The agent needs root.</p>
        </dd>
        <dt>Profile another machine, from a clone there</dt>
        <dd>
          <CopyText text={`sudo npx everflame agent --server ${origin}`} />
        </dd>
        <dt>Send a pprof file that you already have</dt>
        <dd>
          <CopyText
            text={`curl --data-binary @profile.pb.gz '${origin}/api/v1/profiles?service_name=api&service_version=v1'`}
          />
        </dd>
      </dl>
    </section>
  );
}
