import type { Random } from './random.ts';

/** Names of functions and files as compilers write them. */
export interface CodeName {
  readonly name: string;
  readonly file: string;
}

const nouns =
  'account address basket batch block bucket buffer cache cart catalogue channel checkpoint chunk client cluster codec column command commit config connection consumer context cursor customer decoder delivery digest discount document encoder entry event filter folder frame gateway graph handler header index invoice item journal key label ledger limiter line listener loader lock log manifest mapper matcher message metric node object offer order packet page parcel parser partition path payment pipeline plan policy pool price product profile promise query queue range reader record region registry replica report request resolver response result retry route row rule scheduler schema segment selector sequence session shard signal snapshot socket source stack state statement store stream string supplier table task tenant thread ticket timer token topic trace transaction tree trigger tuple user value vector view voucher warehouse watcher window worker writer'.split(
    ' ',
  );
const verbs =
  'accept add allocate append apply balance begin bind build call check clear close collect commit compact compare compile compress compute copy create decode decompress delete dispatch drain emit encode evict execute expand fetch fill find finish flush format get grow handle hash init insert intern invoke join list load lock lookup make map match merge next notify open parse peek poll pop prepare process publish push put read rebalance receive record reduce refresh release remove render replace reserve reset resize resolve retry rotate run scan schedule search select send serialize set shrink sign skip sort split start step stop store submit sum swap sync take touch transform trim try unlock update validate verify visit wait walk write'.split(
    ' ',
  );
const types = [
  'int',
  'unsigned long',
  'std::string const&',
  'std::vector<unsigned char, std::allocator<unsigned char>>&',
  'std::shared_ptr<Context>',
  'char const*',
  'std::unordered_map<std::string, unsigned long>&',
  'bool',
  'std::function<void (int)>&&',
];

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** A function of a service: half of the services are in Go's style, half in C++'s. Not unique by itself. */
export function serviceCode(random: Random, service: string, isGo: boolean): CodeName {
  const room = random.pick(nouns);
  const part = random.pick(nouns);
  const owner = capital(random.pick(nouns)) + capital(random.pick(nouns));
  const verb = random.pick(verbs);
  const what = capital(random.pick(nouns)) + (random.next() < 0.4 ? capital(random.pick(nouns)) : '');
  if (isGo) {
    const closure = random.next() < 0.15 ? `.func${1 + random.below(4)}` : '';
    const name = `github.com/acme/${service}/internal/${room}/${part}.(*${owner}).${verb}${what}${closure}`;
    return { name, file: `/src/${service}/internal/${room}/${part}/${verb}.go` };
  }
  const parameters = Array.from({ length: random.below(4) }, () => random.pick(types)).join(', ');
  const name = `acme::${service}::${room}::${owner}::${verb}${what}(${parameters})${random.next() < 0.3 ? ' const' : ''}`;
  return { name, file: `/src/${service}/src/${room}/${part}.cc` };
}

/** A function of the kernel or of libc, by the place in its list. */
export function sharedCode(random: Random, isKernel: boolean): CodeName {
  const name = `${random.next() < 0.4 ? '__' : ''}${random.pick(nouns)}_${random.pick(verbs)}${random.next() < 0.5 ? `_${random.pick(nouns)}` : ''}`;
  return { name, file: isKernel ? '' : `./${random.pick(nouns)}/${random.pick(verbs)}.c` };
}
