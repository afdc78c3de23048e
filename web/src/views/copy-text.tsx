import { useState } from 'preact/hooks';

/** A command to paste elsewhere. */
export function CopyText({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [state, setState] = useState<'idle' | 'copied' | 'refused'>('idle');
  const copy = () => {
    // There is none when the page is not served from a secure origin.
    if (!isSecureContext) {
      setState('refused');
      return;
    }
    navigator.clipboard.writeText(text).then(
      () => setState('copied'),
      () => setState('refused'),
    );
  };
  const words = { idle: label, copied: 'Copied', refused: 'Select and copy' };
  return (
    <span class="copy">
      <code tabIndex={0}>{text}</code>
      <button type="button" class="button" onClick={copy} onBlur={() => setState('idle')}>
        {words[state]}
      </button>
    </span>
  );
}
